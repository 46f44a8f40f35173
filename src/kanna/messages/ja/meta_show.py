"""`kanna meta show`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "メタデータを表示します。",
    "help": "各 FILE のメタデータを種類ごとに表示します。ModelSpec（足りない項目や誤った値も）、kohya の学習記録"
    "（タグや学習画像）、マージの履歴、ワークフロー、その他の項目です。同じフォルダーにある A1111、Civitai、"
    "Stability Matrix、LoRA Manager のファイルとプレビュー画像も表示します。",
    "examples": "例:\n\n  kanna meta show model.safetensors\n\n"
    "  kanna meta show model.safetensors --raw workflow > workflow.json\n\n"
    "  kanna meta show model.safetensors --thumbnail thumbnail.png",
    "option_raw": "この項目の値だけを、そのまま出力します。",
    "option_thumbnail": "サムネイルをこの画像ファイルに書き出します。",
    "option_force": "既存の画像を置き換えます。",
    "written": "{path} を書き出しました。",
    "one_picture": (
        "--thumbnail を付けるときは FILE を 1 つだけ指定できます。",
        "モデルを 1 つずつ指定してください。",
    ),
}
