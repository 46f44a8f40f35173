"""`kanna library trash`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルを付属ファイルごとごみ箱に入れます。",
    "help": "FILE を付属ファイルごとシステムのごみ箱に入れます。ファイルマネージャーからも見えます（Linux と BSD では同じディスクのごみ箱）。使えない環境では、ライブラリの隣の trash フォルダーに入れます。`kanna library undo` で元に戻せます。",
    "examples": "例:\n\n  kanna library trash model.safetensors\n\n  kanna library undo",
}
