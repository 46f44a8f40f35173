"""`kanna library export`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルの一覧を、表計算ソフト、配布ページ、ほかのプログラム向けに出力します。",
    "help": "モデルの一覧を作ります。csv（表計算ソフト用）、json（ライブラリにある全情報）、markdown（配布ページ用のハッシュ付きの表）、sha256（sha256sum -c で読める一覧）、comfyui（種類ごとのフォルダーを書いた extra_model_paths.yaml）、invokeai（チェックポイントを書いた models.yaml）から選べます。そのまま表示するか、-o でファイルに書き出します。単語とオプションでの絞り込みは kanna library find と同じです。",
    "examples": "例:\n\n  kanna library export --to markdown orangemix\n\n  kanna library export --to csv --kind lora -o loras.csv\n\n  kanna library export --to comfyui -o extra_model_paths.yaml\n\n  kanna library export --to sha256 > models.sha256",
    "option_to": "一覧の形式。",
    "option_output": "書き出し先のファイル。",
    "option_force": "ファイルがすでにあれば置き換えます。",
    "option_dry_run": "書き出さずに、何をするかだけを表示します。",
    "json_where": (
        "--json は書き出したファイルについて報告するものですが、書き出し先がありません。",
        "-o でファイルを指定するか、JSON の一覧が必要なら --to json を使ってください。",
    ),
    "written": "書き出しました: {path}",
    "would": "書き出し先: {path}",
    "column_name": "ファイル名",
    "column_size": "サイズ",
    "column_sha256": "SHA256",
    "column_autov2": "AutoV2",
    "column_autov3": "AutoV3",
}
