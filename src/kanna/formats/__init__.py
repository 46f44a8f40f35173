"""One module per container, and the one place that decides which module reads a path.

`open_model` looks at the first bytes, never at the name, to choose the reader. A reader is
``open(file: InputFile) -> ModelFile``; teaching kanna a container is one such function and one row
of `FORMATS`. Folders go to `kanna.formats.folder`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kanna.disk import InputFile, is_remote, open_input
from kanna.errors import UnsafeFile
from kanna.model import ModelFile, Note

Reader = Callable[[InputFile], ModelFile]
_HEAD: Final = 4096
_NO_OTHERS: Final[Mapping[str, Reader]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the registry.

    `matches` judges the first bytes of a file. `reader` is ``module:function``, imported on use.
    `suffixes` are the names that promise this content; another content under them is told.
    """

    matches: Callable[[bytes], bool]
    reader: str
    suffixes: tuple[str, ...]

    def load(self) -> Reader:
        """Import the reader."""
        module, _, function = self.reader.partition(":")
        reader: Reader = getattr(import_module(module), function)
        return reader


def _is_checkpoint(head: bytes) -> bool:
    # A zip, a pickle of protocol 2 or later, or a tar archive.
    return head.startswith((b"PK\x03\x04", b"\x80")) or head[257:262] == b"ustar"


def _is_gguf(head: bytes) -> bool:
    return head.startswith((b"GGUF", b"FUGG"))


def _is_safetensors(head: bytes) -> bool:
    # A length below 4 GiB, then JSON: the reader itself says what is wrong with the rest.
    return len(head) > 8 and not any(head[4:8]) and head[8] in b'{[" \t\r\n'


def _is_index(head: bytes) -> bool:
    return head.lstrip().startswith(b"{") and b'"weight_map"' in head


# The first that fits reads the file. safetensors comes first: its first byte is the low byte of a
# length, which may be that of a pickle or of a zip.
FORMATS: Final[dict[str, Format]] = {
    "safetensors": Format(
        _is_safetensors,
        "kanna.formats.safetensors:open_safetensors",
        (".safetensors", ".sft"),
    ),
    "checkpoint": Format(
        _is_checkpoint,
        "kanna.formats.checkpoint:open_checkpoint",
        (".ckpt", ".pt", ".pth", ".bin"),
    ),
    "gguf": Format(_is_gguf, "kanna.formats.gguf:open_gguf", (".gguf",)),
    "index": Format(_is_index, "kanna.formats.sharded:open_index", (".json",)),
}
# Names by which people choose files that cannot run code.
SAFE_SUFFIXES: Final = (*FORMATS["safetensors"].suffixes, *FORMATS["gguf"].suffixes)
# Names under which models are kept; an index of shards is none.
MODEL_SUFFIXES: Final = frozenset({*SAFE_SUFFIXES, *FORMATS["checkpoint"].suffixes})


def open_model(
    path: str | os.PathLike[str], *, readers: Mapping[str, Reader] = _NO_OTHERS
) -> ModelFile:
    """Open a model file, an index of shards or a model folder; read headers only.

    `readers` read a single file in the place of those of `FORMATS`.

    Raises:
        Incomplete: it is not there, or a part of it is missing.
        FormatError: it is no model file, or it breaks the rules of its container.
        UnsafeFile: its content is a pickle and its name says that it is none, or a shard or
            component leads out of its folder.
        RemoteError: it is a URL, and its server cannot be reached or refuses.
    """
    # Path.is_dir raises where a name is too long
    if not is_remote(path) and os.path.isdir(path):  # noqa: PTH112
        from kanna.formats.folder import open_folder

        return open_folder(Path(path))
    model = open_file(path, readers=readers)
    return replace(model, notes=(*_lone_shard(model.path), *model.notes))


def open_file(
    path: str | os.PathLike[str],
    among: Collection[str] | None = None,
    readers: Mapping[str, Reader] = _NO_OTHERS,
) -> ModelFile:
    """Open one file with the reader that its first bytes ask for; see `open_model`.

    With `among`, only these rows of `FORMATS` may read it.
    """
    file = open_input(path)
    try:
        return _read(file, FORMATS if among is None else among, readers)
    except BaseException:
        file.close()
        raise


def _read(file: InputFile, among: Collection[str], readers: Mapping[str, Reader]) -> ModelFile:
    found = recognise(file.read(0, min(file.size, _HEAD)))
    if found is None or found not in among:
        from kanna.formats.wrong_content import explain

        raise explain(file)
    suffix = file.path.suffix.lower()
    if found == "checkpoint" and suffix in SAFE_SUFFIXES:
        raise UnsafeFile("formats.pickle_in_disguise", path=file.path, suffix=suffix)
    model = (readers.get(found) or FORMATS[found].load())(file)
    return replace(model, notes=(*_other_name(found, suffix), *model.notes))


def recognise(head: bytes) -> str | None:
    """Return the name in `FORMATS` that the first bytes of a file fit, or None."""
    return next((name for name, row in FORMATS.items() if row.matches(head)), None)


def _other_name(found: str, suffix: str) -> tuple[Note, ...]:
    promised = next((name for name, row in FORMATS.items() if suffix in row.suffixes), found)
    if promised == found:
        return ()
    return (Note("formats.other_name", {"suffix": suffix, "content": found}),)


def _lone_shard(path: Path) -> tuple[Note, ...]:
    match = re.search(r"-(\d{5})-of-(\d{5})\.\w+$", path.name)
    if match is None or int(match[2]) == 1:
        return ()
    return (Note("formats.lone_shard", {"part": int(match[1]), "total": int(match[2])}),)
