"""`kanna library move`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Move models with all that belongs to them.",
    "help": "Move each FILE with its companions: config (.yaml), VAE (.vae.pt), .sha256, previews, notes of A1111, Civitai and other programs. FILE is a path, or what the library knows a model by.\n\nAcross disks every byte is copied, synced, read again and compared before anything is removed. Nothing is ever overwritten. A kill at any moment leaves the old files or the new ones complete, and the next such command brings it to an end. `kanna library undo` takes it back. Tags and notes of the library go along.",
    "examples": "Examples:\n\n  kanna library move old.safetensors --to /mnt/backup\n\n  kanna library move models/Lora/*.safetensors --to backup --dry-run\n\n  kanna library move anime_v2 --to active",
}
