"""`kanna library copy`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Copy models with all that belongs to them.",
    "help": "Copy each FILE with its companions (see `kanna library move --help`); every copy is read again and compared. Of a link the file that it leads to is copied.",
    "examples": "Examples:\n\n  kanna library copy model.safetensors --to /mnt/usb\n\n  kanna library copy models/Stable-diffusion/*.safetensors --to backup --on-conflict skip",
}
