"""Names of outputs: one that works everywhere (ASCII, no spaces), or that of the input kept."""

from __future__ import annotations

import os
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from kanna.disk import is_remote
from kanna.errors import UsageError
from kanna.formats import FORMATS
from kanna.plan import WriteContainer

_WRITTEN: Final[dict[str, WriteContainer]] = {
    "safetensors": "safetensors", "checkpoint": "ckpt", "gguf": "gguf",
}  # fmt: skip
_CONTAINERS: Final = {
    suffix: container for row, container in _WRITTEN.items() for suffix in FORMATS[row].suffixes
}
_SUFFIXES: Final = tuple(suffix for row in FORMATS.values() for suffix in row.suffixes)
# names that Windows gives to devices, whatever their suffix
_FORBIDDEN: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_UNWRITABLE: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]')
_LONGEST: Final = 180


def is_folder(destination: str | os.PathLike[str]) -> bool:
    """Whether a destination names a folder: it is one, or it ends like one."""
    text = os.fspath(destination)
    # Path.is_dir raises where a name is too long
    return text.endswith(("/", os.sep)) or os.path.isdir(text)  # noqa: PTH112


def destination(
    source: Path,
    wanted: str | os.PathLike[str] | None,
    tags: Sequence[str],
    container: str,
    stem: str | None = None,
) -> Path:
    """Return the file to write: `wanted`, or a name in the folder that it names.

    None means the folder of `source`, and for a URL the working folder. The name is `stem`, or one
    is suggested.
    """
    if wanted is not None and not is_folder(wanted):
        return Path(wanted)
    folder = Path(wanted) if wanted is not None else _folder_of(source)
    if stem is not None:
        return folder / f"{stem}.{container}"
    return folder / suggested_name(source, tags, f".{container}")


def _folder_of(source: Path) -> Path:
    return Path() if is_remote(source) else source.parent


def container_of(
    wanted: str | os.PathLike[str] | None,
    asked: WriteContainer | None,
    unknown: str = "convert.suffix_unknown",
) -> WriteContainer | None:
    """Return the container that a destination stands for; what was `asked` for must agree.

    `unknown` is the message for a suffix that stands for none.

    Raises:
        UsageError: they disagree, or the suffix of a file says nothing.
    """
    if wanted is not None and not os.fspath(wanted):
        raise UsageError("convert.no_name")
    if wanted is None or is_folder(wanted):
        return asked
    found = _CONTAINERS.get(Path(wanted).suffix.lower())
    if found is None and asked is None:
        raise UsageError(unknown, name=wanted)
    if found and asked and found != asked:
        raise UsageError("convert.suffix_differs", name=wanted, container=asked)
    return asked or found


def check_distinct(sources: Iterable[Path], folder: str | os.PathLike[str] | None) -> None:
    """Refuse inputs whose outputs would get the same name in the same folder.

    Raises:
        UsageError: two of them would.
    """
    names = Counter(
        str(destination(source, folder, (), "safetensors")).lower() for source in sources
    )
    name, count = max(names.items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        raise UsageError("convert.same_output", name=Path(name).stem)


def check_protected(target: Path, protected: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse to replace a file that the same batch reads or has made.

    Raises:
        UsageError: `target` is one of `protected`, by whatever path.
    """
    for other in protected:
        if target.exists() and Path(other).exists() and target.samefile(other):
            raise UsageError("convert.would_replace", path=target, name=other)


def suggested_name(path: Path, tags: Sequence[str], suffix: str) -> str:
    """Return a file name for what is made of `path`: its ASCII stem, what was done, the suffix.

    Tags that the stem holds already are not repeated, so naming twice is naming once.
    """
    plain = unicodedata.normalize("NFKD", _stem(path)).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "_", plain).strip("._-")
    if not plain:  # names without any ASCII must stay apart
        plain = f"model_{zlib.crc32(_stem(path).encode('utf-8', 'surrogateescape')):08x}"
    if _FORBIDDEN.match(plain):
        plain = f"model-{plain}"
    words = plain.split("-")
    new = [tag for tag in tags if tag not in words]
    return "-".join([plain[:_LONGEST], *new]) + suffix


def kept_stem(path: Path) -> str:
    """Return the file name without its suffix, in its own script, as every system can write it.

    At most 180 bytes long. That of a URL is as `suggested_name` has it.
    """
    if is_remote(path):
        return suggested_name(path, (), "")
    stem = _UNWRITABLE.sub("_", _stem(path)).encode()[:_LONGEST].decode(errors="ignore")
    stem = stem.strip().rstrip(".")  # Windows drops what is blank at the end
    if not stem or _FORBIDDEN.match(stem):
        return suggested_name(path, (), "")
    return stem


def _stem(path: Path) -> str:
    """Return the file name without its container's suffix: ``model.v1.5.ckpt`` → ``model.v1.5``."""
    name = re.sub(r"\.index(\.\w+)?\.json$", "", path.name, flags=re.IGNORECASE)
    suffix = next((s for s in _SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)] or name
