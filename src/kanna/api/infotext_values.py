"""What the infotext verbs answer, and how a change is asked for, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from kanna.disk import Fingerprint
from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo
from kanna.model import Note
from kanna.pictures.picture import Container, PictureText

Holder: TypeAlias = Container | Literal["txt", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Infotext:
    """The texts of a picture or a text file, and what they say.

    `width` and `height` are the picture's own, in pixels. `editable` is None where no program's
    text is among `texts`. `encoding` is how a text file was read, `bom` the byte order mark before
    its text, if it has one. `fingerprint` tells whether the file is still the one that was read.
    """

    path: Path
    holder: Holder
    size: int
    width: int | None
    height: int | None
    texts: tuple[PictureText, ...]
    editable: Editable | None
    notes: tuple[Note, ...] = ()
    encoding: str = "utf-8"
    bom: str = ""
    fingerprint: Fingerprint | None = None

    @property
    def info(self) -> GenerationInfo | None:
        """What the texts say, or None where they say nothing of how it was made."""
        return self.editable.info if self.editable is not None else None

    @property
    def container(self) -> Container | None:
        """The picture's container; None where the text is a file of its own."""
        return None if self.holder == "txt" or self.holder == "json" else self.holder  # noqa: PLR1714 - as mypy knows it

    @property
    def is_picture(self) -> bool:
        """Whether the texts are in a picture, not in a file of their own."""
        return self.container is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfotextSource:
    """A file for a verb; `below` is its path below the folder that was named, or its name."""

    path: Path
    below: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class InfotextOptions:
    """How a change is made.

    `encoding` is how text files are read and written. `force` replaces what is at the destination.
    `stealth` includes text hidden in pixels. `tidied` says that leftovers of killed runs were
    removed already (`infotext_batch`).
    """

    encoding: str = "utf-8"
    force: bool = False
    dry_run: bool = False
    stealth: bool = False
    tidied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InfotextChange:
    """A change of texts: planned, and carried out unless only the plan was asked for.

    `destination` is the file to be written, None where that is the file itself. `changed` is False
    where the texts stay as they are; then nothing is written. `size` is in bytes, of what was or
    would be written. `in_picture` says that the texts are in one, not in a file of their own.
    """

    path: Path
    destination: Path | None
    before: tuple[PictureText, ...]
    after: tuple[PictureText, ...]
    notes: tuple[Note, ...]
    changed: bool
    dry_run: bool
    size: int
    in_picture: bool = True

    @property
    def written(self) -> Path | None:
        """The file that was written, or None."""
        return (self.destination or self.path) if self.changed and not self.dry_run else None
