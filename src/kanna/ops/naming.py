"""A name for the output that works everywhere: ASCII, no spaces, dots in the stem kept."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kanna.errors import UsageError
from kanna.plan import WriteContainer

_SUFFIXES: Final = (
    ".safetensors.index.json", ".bin.index.json", ".index.json", ".safetensors", ".sft", ".ckpt",
    ".pth", ".pt", ".bin", ".gguf",
)  # fmt: skip
_CONTAINERS: Final[dict[str, WriteContainer]] = {
    ".safetensors": "safetensors", ".sft": "safetensors", ".ckpt": "ckpt", ".pt": "ckpt",
    ".pth": "ckpt", ".bin": "ckpt",
}  # fmt: skip
# names that Windows gives to devices, whatever their suffix
_FORBIDDEN: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def stem(path: Path) -> str:
    """Return the file name without its container's suffix: ``model.v1.5.ckpt`` → ``model.v1.5``."""
    name = path.name
    suffix = next((s for s in _SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)] or name


def is_folder(destination: str | os.PathLike[str]) -> bool:
    """Whether a destination names a folder: it is one, or it ends like one."""
    text = os.fspath(destination)
    return text.endswith(("/", os.sep)) or Path(text).is_dir()


def destination(
    source: Path, wanted: str | os.PathLike[str] | None, tags: Sequence[str], container: str
) -> Path:
    """Return the file to write: `wanted`, or the suggested name in the folder that it names.

    None means the folder of `source`.
    """
    if wanted is not None and not is_folder(wanted):
        return Path(wanted)
    folder = source.parent if wanted is None else Path(wanted)
    return folder / suggested_name(source, tags, f".{container}")


def container_of(name: str | os.PathLike[str], asked: WriteContainer | None) -> WriteContainer:
    """Return the container that a file name stands for; what was `asked` for must agree.

    Raises:
        UsageError: they disagree, or the suffix says nothing.
    """
    suffix = Path(name).suffix.lower()
    found = _CONTAINERS.get(suffix)
    if found is None and asked is None:
        raise UsageError("convert.suffix_unknown", name=name)
    if found and asked and found != asked:
        raise UsageError("convert.suffix_differs", name=name, container=asked)
    return asked or found or "safetensors"


def suggested_name(path: Path, tags: Sequence[str], suffix: str) -> str:
    """Return a file name for what is made of `path`: its ASCII stem, what was done, the suffix.

    Tags that the stem ends with already are not repeated, so naming twice is naming once.
    """
    plain = unicodedata.normalize("NFKD", stem(path)).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "_", plain).strip("._-") or "model"
    if _FORBIDDEN.match(plain):
        plain = f"model-{plain}"
    words = plain.split("-")
    new = [tag for tag in tags if tag not in words]
    return "-".join([plain[:180], *new]) + suffix
