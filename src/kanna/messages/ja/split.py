"""`kanna split`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "チェックポイントを部品ごとのファイルに分けます。",
    "help": "FILE の中身を、部品（拡散モデル、VAE、テキストエンコーダー、EMA、どれにも属さないテンソル）ごとのファイルに書き出します。全体を diffusers フォルダーにすることもできます。\n\nファイル名は FILE.unet、FILE.vae、FILE.clip_l のようになります。追加学習されたモデルの部品は、同じ名前で配布されているファイルとは中身が違うためです。kanna join で 1 つに戻すと、テンソルはすべて元どおりになります。すべてのファイルが検証済みでそろうか、1 つも作られないかのどちらかです。",
    "examples": "例:\n\n"
    "  kanna split model.safetensors -o parts/\n\n"
    "  kanna split model.safetensors -o parts/ --only vae --only clip_l\n\n"
    "  kanna split flux1-dev-fp8.safetensors -o parts/ --for forge --dry-run\n\n"
    "  kanna split model.safetensors --to diffusers --tokenizers other-folder/ -o model-folder/",
    "option_output": "部品を書き出すフォルダー（なければ作ります。省略時は入力と同じフォルダー）。",
    "option_to": "parts は各プログラム用のファイル（省略時）、diffusers は from_pretrained 用のフォルダー。",
    "option_for": "部品を読み込むプログラム（省略時は ComfyUI）。bare は接頭辞を外すだけで、名前は変えません。",
    "option_only": "この部品だけを書き出します。unet、vae、clip_l、t5xxl、ema、leftovers など（繰り返し指定できます）。",
    "option_prune": "不要とわかっているデータを除きます。未知のテンソルは残します。",
    "option_shard_size": "diffusers のみ。重みファイル 1 つの最大サイズ（5GB など）。",
    "option_tokenizers": "diffusers のみ。トークナイザーのコピー元フォルダー。",
    "option_prediction": "diffusers のみ。モデルの予測方式（epsilon、v など）。ファイルからわからない場合に指定します。",
    "option_allow_missing": "diffusers のみ。足りないコンポーネントがあってもフォルダーを作ります。",
    "leftovers": "残りのテンソル",
    "goes_to": "置き場所は {folder}",
    "layout": "名前は {layout} 形式",
    "dry_run": "何も書き込んでいません（--dry-run）。実行すると {files} 個のファイル（{size}）を書き込みます（作業用メモリ {memory}）。",
    "done_header": "{files} 個のファイルを書き込み、ヘッダーを検証しました（{seconds} 秒、{speed}/s）。",
    "done_full": "{files} 個のファイルを書き込み、全バイトを検証しました（{seconds} 秒、{speed}/s）。",
    "layout_kept": "{part} の名前は {layout} 形式のままです。{wanted} 形式には変換できません。",
    "left_behind": "{count} 個のテンソルはどの部品にも属さないため書き出されません（{name} など）。--only を付けなければ leftovers に入ります。",
    "no_such_program": (
        "{program} 用の部品は作れません。",
        "{programs} のどれかを指定してください。",
    ),
    "no_such_part": (
        "{path} に {part} という部品はありません。",
        "入っているのは {parts} です。",
    ),
    "single": (
        "{path} はすでに 1 つの部品（{part}）だけのファイルです。",
        "分けるものがありません。精度や形式を変えるには kanna convert を使ってください。",
    ),
    "no_parts": (
        "{path} には取り出せるモデルが入っていません。",
        "kanna inspect で何のファイルかを確認してください。",
    ),
    "not_for_that": (
        "{option} は --to {target} では使えません。",
        "{option} を外すか、--to を変えてください。",
    ),
    "not_a_folder": (
        "{path} はフォルダーではありません。",
        "-o には部品を書き出すフォルダーを指定してください。",
    ),
}
