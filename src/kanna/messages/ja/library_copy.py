"""`kanna library copy`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルを付属ファイルごとコピーします。",
    "help": "FILE を付属ファイルごとコピーします（`kanna library move --help` を参照）。コピーは必ず読み直して照合します。リンクを指定すると、リンク先のファイルをコピーします。",
    "examples": "例:\n\n  kanna library copy model.safetensors --to /mnt/usb\n\n  kanna library copy models/Stable-diffusion/*.safetensors --to backup --on-conflict skip",
}
