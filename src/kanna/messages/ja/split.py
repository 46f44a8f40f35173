"""`kanna split`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "チェックポイントをパーツに分けます。",
    "help": "FILE の中身（拡散モデル、VAE、テキストエンコーダー、EMA、どれにも属さないもの）を、それぞれ 1 つの"
    "ファイルに書き出します。全体を diffusers フォルダーにすることもできます。\n\nファイル名は FILE.unet、FILE.vae、FILE.clip_l のようになります。追加学習されたモデルの"
    "パーツは、同じ名前で配布されているファイルとは中身が違うためです。kanna join で、テンソル単位で元どおりに戻せます。"
    "すべてのファイルが検証済みでそろうか、1 つも作られないかのどちらかです。",
    "examples": "例:\n\n"
    "  kanna split model.safetensors -o parts/\n\n"
    "  kanna split model.safetensors -o parts/ --only vae --only clip_l\n\n"
    "  kanna split flux1-dev-fp8.safetensors -o parts/ --for forge --dry-run\n\n"
    "  kanna split model.safetensors --to diffusers --tokenizers other-folder/ -o model-folder/",
    "option_output": "パーツを書き出すフォルダー（なければ作ります。省略時は入力と同じフォルダー）。",
    "option_to": "parts は各プログラム用のファイル（省略時）、diffusers は from_pretrained 用のフォルダー。",
    "option_for": "パーツを読み込むプログラム（省略時は ComfyUI）。bare はプレフィックスだけを外し、名前は変えません。",
    "option_only": "このパーツだけを書き出します。unet、vae、clip_l、t5xxl、ema、leftovers など（複数指定できます）。",
    "option_prune": "不要と分かっているテンソルを省きます。見覚えのないものは残します。",
    "option_shard_size": "diffusers のみ。重みファイル 1 つの最大サイズ（5GB など）。",
    "option_tokenizers": "diffusers のみ。トークナイザーのコピー元フォルダー。",
    "option_prediction": "diffusers のみ。モデルが予測するもの（epsilon、v など）。ファイルから分からない場合に指定します。",
    "option_allow_missing": "diffusers のみ。足りないコンポーネントがあってもフォルダーを作ります。",
    "leftovers": "残りのテンソル",
    "goes_to": "置き場所は {folder}",
    "layout": "名前は {layout} 形式",
    "dry_run": "何も書き込んでいません（--dry-run）。実行すると {files} 個のファイル（{size}）ができ、バッファは {memory} です。",
    "done_header": "{files} 個のファイルを書き込み、ヘッダーを検証しました。{seconds} 秒（{speed}/s）",
    "done_full": "{files} 個のファイルを書き込み、全バイトを検証しました。{seconds} 秒（{speed}/s）",
    "layout_kept": "{part} の名前は {layout} 形式のままです。{wanted} 形式には変換できません。",
    "left_behind": "{count} 個のテンソルはどのパーツにも属さないため書き出されません（{name} …）。"
    "--only を付けなければ leftovers に入ります。",
    "no_such_program": (
        "{program} 向けのパーツは作れません。",
        "{programs} のどれかを指定してください。",
    ),
    "no_such_part": (
        "{path} に {part} というパーツはありません。",
        "入っているのは {parts} です。",
    ),
    "single": (
        "{path} はすでに 1 つのパーツ（{part}）だけのファイルです。",
        "分けるものがありません。精度や形式を変えるには kanna convert を使ってください。",
    ),
    "no_parts": (
        "{path} には取り出せるモデルが入っていません。",
        "kanna inspect で何のファイルかを確認してください。",
    ),
    "not_for_that": (
        "{option} は --to {target} では使えません。",
        "指定を外すか、もう一方の出力を選んでください。",
    ),
    "not_a_folder": (
        "{path} はフォルダーではありません。",
        "-o にはパーツを書き出すフォルダーを指定してください。",
    ),
}
