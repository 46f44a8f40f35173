"""Tokenizers for a diffusers folder: copied from a folder that has them, never made up.

Only files with the names that transformers gives to tokenizers and processors are taken: text and
tables, no code and no weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from kanna.disk import InputFile
from kanna.errors import FormatError, Incomplete
from kanna.formats.sharded import neighbour
from kanna.formats.weights import list_files

# Source: huggingface/transformers tokenization_utils_base.py, processing_utils.py,
# image_processing_base.py.
_NAMES: Final = frozenset({
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "vocab.txt", "merges.txt", "spiece.model", "tokenizer.model",
    "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json",
    "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json",
})  # fmt: skip
_LIMIT: Final = 256_000_000


def tokenizer_files(source: Path, folders: Iterable[str]) -> dict[str, Mapping[str, bytes]]:
    """Return the files for each of `folders` that `source` has, by name.

    `source` is a diffusers folder, or a folder with nothing but the tokenizer where one is wanted.

    Raises:
        Incomplete: there is no tokenizer in `source`, or it cannot be read.
        UnsafeFile: a link leads out of the folder.
        FormatError: a file is far too large for a tokenizer.
    """
    wanted = list(folders)
    files, subfolders = list_files(source)
    places = {name: neighbour(source, name) for name in wanted if name in subfolders}
    if not places and len(wanted) == 1 and _NAMES.intersection(files):
        places = {wanted[0]: source}
    every: dict[str, Mapping[str, bytes]] = {name: _files(at) for name, at in places.items()}
    found = {name: held for name, held in every.items() if held}
    if wanted and not found:
        raise Incomplete("diffusers.no_tokenizer", path=source, folders=", ".join(wanted))
    return found


def _files(folder: Path) -> dict[str, bytes]:
    names, _ = list_files(folder)
    return {name: _bytes(neighbour(folder, name)) for name in names if name in _NAMES}


def _bytes(path: Path) -> bytes:
    file = InputFile(path)
    try:
        if file.size > _LIMIT:
            raise FormatError("diffusers.tokenizer_size", path=path, size=file.size)
        return file.read(0, file.size)
    finally:
        file.close()
