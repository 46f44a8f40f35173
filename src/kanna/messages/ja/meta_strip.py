"""`kanna meta strip`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "メタデータの項目を削除します。",
    "help": "各 FILE から項目を削除します。--key で指定した項目（短い名前や ss_* のようなパターンも可）、公開したくない"
    "情報（--private: プロンプトとワークフロー、学習データのフォルダー名とキャプション、学習の日時、PC 内のパス）、"
    "またはすべて（--all）です。\n\n_quantization_metadata など、モデルの読み込みに必要な項目は残ります。--private は"
    " ModelSpec の項目には触れません。",
    "examples": "例:\n\n  kanna meta strip lora.safetensors --private --dry-run\n\n"
    "  kanna meta strip lora.safetensors --key 'ss_*' --key thumbnail\n\n"
    "  kanna meta strip model.safetensors --all -o clean.safetensors",
    "option_key": "この項目、またはパターンに合う項目を削除します（複数回指定できます）。",
    "option_private": "作者の PC、学習データ、プロンプト、学習の日時がわかる情報を削除します。",
    "option_all": "モデルの読み込みに必要なもの以外をすべて削除します。",
    "option_force": "既存の出力を置き換えます。名前が複数あるファイルも編集します。名前を省略せずに指定すれば、"
    "読み込みに必要な項目も削除します。",
    "nothing": (
        "削除する内容がありません。",
        "--key、--private、--all のどれかを指定してください。",
    ),
}
