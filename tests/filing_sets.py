"""Models with companions for tests of filing, and what must hold of them at any moment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from containers import safetensors_bytes

STEM = "某モデル v1.5"
MODEL = f"{STEM}.safetensors"
LEFTOVERS = ("*.part", "*.kanna-*")


def six_companions() -> dict[str, bytes]:
    """The content of a model and its six companions, by name."""
    model = safetensors_bytes({"w": ("U8", (3000,), bytes(range(250)) * 12)})
    digest = hashlib.sha256(model).hexdigest()
    return {
        MODEL: model,
        f"{STEM}.yaml": b"model: {params: {}}\n",
        f"{STEM}.vae.pt": b"vae" * 999,
        f"{MODEL}.sha256": f"{digest}  {MODEL}\n".encode(),
        f"{STEM}.preview.png": b"\x89PNG" * 50,
        f"{STEM}.civitai.info": b'{"id": 1}',
        f"{STEM}.txt": "説明".encode(),
    }


def write_set(folder: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """Write the files; return the path of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (files or six_companions()).items():
        (folder / name).write_bytes(content)
    return folder / MODEL


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, by name; nothing where there is none."""
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether all of the files are in a folder, whole."""
    return files.items() <= contents(folder).items()


def leftovers(folder: Path) -> list[Path]:
    return [path for pattern in LEFTOVERS for path in folder.rglob(pattern)]
