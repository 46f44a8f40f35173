"""Which files an infotext verb takes of folders, and what the file made of each is called."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from kanna.api.infotext_values import InfotextSource
from kanna.api.reading import StrPath
from kanna.errors import UsageError
from kanna.pictures import PICTURE_SUFFIXES

TEXT_SUFFIXES: Final = (".txt", ".json")
EDITED_SUFFIXES: Final = (*sorted(PICTURE_SUFFIXES), ".txt")  # other JSON lies about, too


def infotext_sources(
    paths: Iterable[StrPath], suffixes: Iterable[str] = PICTURE_SUFFIXES, *, recursive: bool = False
) -> list[InfotextSource]:
    """Return the files at `paths`, each once: themselves, or those in folders with such a suffix.

    Links to folders are not followed. A folder that cannot be read stands for itself, so that
    whoever opens it hears why.
    """
    wanted = frozenset(suffixes)
    found: dict[Path, InfotextSource] = {}
    for path in map(Path, paths):
        for source in _sources_at(path, wanted, recursive=recursive):
            found.setdefault(source.path, source)
    return list(found.values())


def infotext_outputs(
    sources: Sequence[InfotextSource], output: StrPath | None,
    suffixes: Sequence[str] | None = None, *, folder: bool,
) -> list[Path]:  # fmt: skip
    """Return the file that is made of each source.

    `output` is that file, or with `folder` the folder in which all keep their places; None stands
    for the folder of each. `suffixes` are the new ones; where two names would become one with
    them, both keep the old suffix before it.

    Raises:
        UsageError: two outputs would be one file, or one is a source, or a folder is named like a
            file.
    """
    if not folder and output is not None:
        outputs = [Path(output)]
    else:
        _check_folder(output)
        outputs = [s.path if output is None else Path(output, s.below) for s in sources]
        outputs = outputs if suffixes is None else _renamed(outputs, suffixes)
    _check_distinct(sources, outputs)
    check_apart(sources, outputs)
    return outputs


def _check_folder(output: StrPath | None) -> None:
    """Refuse the name of one file where several are to be written.

    Raises:
        UsageError: it is one.
    """
    if output is None or os.fspath(output).endswith(("/", os.sep)) or os.path.isdir(output):  # noqa: PTH112 - as above
        return
    if Path(output).suffix.lower() in {*EDITED_SUFFIXES, *TEXT_SUFFIXES}:
        raise UsageError("infotext.one_output", name=output)


def check_apart(sources: Iterable[InfotextSource], outputs: Iterable[Path]) -> None:
    """Refuse outputs that are inputs, by whatever path.

    Raises:
        UsageError: one is.
    """
    inputs = {key: source.path for source in sources if (key := _identity(source.path))}
    for output in outputs:
        key = _identity(output)
        if key is not None and key in inputs:
            raise UsageError("infotext.output_is_input", path=output)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of what is at `path`, or None where nothing can be."""
    try:
        status = os.stat(path)  # noqa: PTH116 - Path.stat raises other errors for odd names
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _sources_at(
    path: Path, suffixes: frozenset[str], *, recursive: bool
) -> Iterator[InfotextSource]:
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        yield InfotextSource(path=path, below=Path(path.name))
        return
    for file in _files_in(path, recursive=recursive):
        if file.suffix.lower() in suffixes or file.is_dir():
            yield InfotextSource(path=file, below=file.relative_to(path))


def _files_in(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Yield the files of a folder in the order of their names; hidden ones are left out."""
    unreadable: list[Path] = []

    def remember(error: OSError) -> None:
        unreadable.append(Path(error.filename))

    for parent, folders, names in os.walk(folder, onerror=remember):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and recursive)
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        yield from unreadable
        unreadable.clear()
    yield from unreadable


def _renamed(outputs: Sequence[Path], suffixes: Sequence[str]) -> list[Path]:
    """Return the paths with other suffixes; where that makes two one, it is added instead."""
    renamed = [path.with_suffix(new) for path, new in zip(outputs, suffixes, strict=True)]
    counts = Counter(map(_folded, renamed))
    return [
        new if counts[_folded(new)] == 1 else path.with_name(path.name + new.suffix)
        for path, new in zip(outputs, renamed, strict=True)
    ]


def _check_distinct(sources: Sequence[InfotextSource], outputs: Sequence[Path]) -> None:
    taken: dict[str, Path] = {}
    for source, output in zip(sources, outputs, strict=True):
        other = taken.setdefault(_folded(output), source.path)
        if other != source.path:
            raise UsageError("infotext.same_output", path=source.path, other=other, output=output)


def _folded(path: Path) -> str:
    """Return a path as systems see it that tell neither capitals nor forms of one letter apart."""
    return unicodedata.normalize("NFC", os.fspath(path)).casefold()
