"""The table of published models, by every digest; read when somebody asks.

``known_models.tsv`` says in its first lines what its columns are and where its rows come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

from kanna.formats import MODEL_SUFFIXES

_SOURCE: Final = "#source\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A published file. Empty text means not known.

    `sha256_begins` is 10 or 16 digits where no more is known. `architecture` and `variant` are
    given only where the list's own words leave no doubt. `sources` are words of `sources()`, and
    `n_sources` of them do not copy from each other.
    """

    sha256: str
    sha256_begins: str
    data_sha256: str
    blake3: str
    crc32: str
    autov1: str
    filename: str
    kind: str
    title: str
    architecture: str
    variant: str
    size_bytes: str
    sources: str
    n_sources: str
    notes: str

    @property
    def name(self) -> str:
        """What people call it: its file name, else its title."""
        return self.filename or self.title

    @property
    def short_name(self) -> str:
        """The file name without its suffix, else the title."""
        name = PurePosixPath(self.filename)
        return name.stem if name.suffix in MODEL_SUFFIXES else self.name

    @property
    def size(self) -> int | None:
        """The bytes of the file."""
        return int(self.size_bytes) if self.size_bytes else None

    @property
    def kind_is_sure(self) -> bool:
        """Whether `kind` was said, and not taken from a list that holds mostly checkpoints."""
        return self.sources != "civitai"

    @property
    def full_sources(self) -> list[str]:
        """The lists that name it, in words."""
        return [sources().get(word, word) for word in self.sources.split()]

    def to_json(self) -> dict[str, object]:
        """Return the row for a JSON document, with null for what is not known."""
        return {
            "name": self.name,
            "title": self.title or None,
            "filename": self.filename or None,
            "kind": self.kind if self.kind_is_sure else None,
            "architecture": self.architecture or None,
            "variant": self.variant or None,
            "sha256": self.sha256 or None,
            "sha256_begins": self.sha256[:10] or self.sha256_begins or None,
            "data_sha256": self.data_sha256 or None,
            "autov1": self.autov1 or None,
            "blake3": self.blake3 or None,
            "crc32": self.crc32 or None,
            "size": self.size,
            "sources": self.full_sources,
            "notes": self.notes or None,
        }


_COLUMNS: Final = tuple(field.name for field in fields(Known))


@cache
def known_models() -> tuple[Known, ...]:
    """Return every row of the table."""
    lines = [line for line in _lines() if not line.startswith("#")]
    assert tuple(lines[0].split("\t")) == _COLUMNS
    return tuple(map(_row, lines[1:]))


@cache
def sources() -> Mapping[str, str]:
    """Return what each word in the column ``sources`` stands for."""
    rows = (line.split("\t") for line in _lines() if line.startswith(_SOURCE))
    return {word: text for _, word, text in rows}


def known_file(sha256: str | None) -> Known | None:
    """Return the published file with this SHA-256, or None."""
    return _row_with("sha256", sha256)


def known_weights(data_sha256: str | None) -> Known | None:
    """Return the published file whose tensor data has this SHA-256, or None."""
    return _row_with("data_sha256", data_sha256)


def _row_with(field: str, digest: str | None) -> Known | None:
    """Look a whole digest up in the text, which is quicker than to make all rows."""
    if not digest:
        return None
    rows = (_row(line) for line in _lines() if digest in line)
    return next((row for row in rows if getattr(row, field) == digest), None)


def _row(line: str) -> Known:
    return Known(**dict(zip(_COLUMNS, line.split("\t"), strict=True)))


@cache
def _lines() -> tuple[str, ...]:
    text = Path(__file__).with_name("known_models.tsv").read_text(encoding="utf-8")
    return tuple(text.splitlines())
