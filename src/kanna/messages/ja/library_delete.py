"""`kanna library delete`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルを付属ファイルごと削除します。",
    "help": "FILE を付属ファイルごと完全に削除します。元には戻せません。同じ名前の別のモデルが使う付属ファイルは残します。元に戻せるのは `kanna library trash` です。",
    "option_yes": "確認せずに削除します。",
    "ask": "{count} ファイル（{size}）を完全に削除しますか？",
    "not_asked": (
        "{count} ファイルを削除してよいか確認できません（対話できる端末ではありません）。",
        "--dry-run で内容を確かめてから --yes を付けてください。",
    ),
    "examples": "例:\n\n  kanna library delete model.safetensors --dry-run\n\n  kanna library delete model.safetensors --yes",
}
