"""`kanna infotext search`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "プロンプト、モデル、シード、サンプラーから画像を探します。",
    "help": 'プロンプトに WORD をすべて含み、オプションの条件に合う画像を、新しい順に一覧します。探すのはライブラリ、--in を指定するとそのフォルダーです。WORD は単語全体に一致します。sea* は前方一致、"red hair" は語句、-dog は除外（前に -- を置きます）です。日本語は部分一致です。\n\n終了コード 1: 条件に合う画像がありませんでした。',
    "examples": '例:\n\n  kanna infotext search cat "red hair"\n\n  kanna infotext search --model 6ce0161689 --sampler Euler\n\n  kanna infotext search 桜 --lora style --in outputs/\n\n  kanna infotext search --seed 1234567890 --json',
    "option_negative": "ネガティブプロンプトに含まれる単語。",
    "option_model": "モデル名の一部、または画像に記録されたハッシュの先頭。",
    "option_lora": "LoRA 名の一部、またはハッシュの先頭。",
    "option_seed": "シード。",
    "option_sampler": "サンプラー名の先頭。",
    "option_in": "ライブラリではなく、このフォルダーを下の階層まで探します。",
    "option_limit": "一覧する画像の上限（100）。",
    "nothing": (
        "検索条件が指定されていません。",
        "プロンプトの単語か、--model、--lora、--seed、--sampler、--negative のいずれかを指定してください。",
    ),
    "none": "条件に合う画像はありません。",
    "more": "新しい {count:,} 枚を表示しています。-n で上限を増やせます。",
}
