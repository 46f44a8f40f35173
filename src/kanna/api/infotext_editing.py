"""What pictures and texts say, changed by the edit language of `kanna.infotext.macros`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanna.api.infotext_changing import change_texts
from kanna.api.infotext_reading import BOM, read_infotext, read_text
from kanna.api.infotext_traces import is_hidden
from kanna.api.infotext_values import InfotextChange, InfotextOptions
from kanna.api.reading import StrPath
from kanna.errors import Incompatible, Incomplete
from kanna.infotext.macros import Change, apply, read_macros

InfotextEdit = Change


def edit_infotext(
    path: StrPath, changes: Sequence[Change], destination: StrPath | None = None, *,
    options: InfotextOptions | None = None,
) -> InfotextChange:  # fmt: skip
    """Make `changes` in what the picture or text file at `path` says, one after another.

    What is not changed stays byte for byte. Where nothing changes, nothing is written.

    Raises:
        Incomplete: it does not say how it was made.
        Incompatible: its program has no place for something, or the text is hidden in pixels.
        UsageError: a regular expression cannot be used.
        KannaError: it cannot be read or written.
    """
    options = options or InfotextOptions()
    found = read_infotext(path, stealth=options.stealth, encoding=options.encoding)
    if found.editable is None:
        raise Incomplete("infotext.nothing", path=found.path)
    texts = apply(changes, found.editable).texts()
    if any(text not in found.texts and is_hidden(text) for text in texts):
        raise Incompatible("infotext_edit.hidden", path=found.path)
    target = None if destination is None else Path(destination)
    return change_texts(found, texts, target, options)


def read_edits(path: StrPath, encoding: str = "utf-8") -> list[Change]:
    """Return the changes that a macro file lists.

    Raises:
        UsageError: a line cannot be understood.
        KannaError: the file cannot be read.
    """
    return read_macros(read_text(Path(path), encoding).removeprefix(BOM))
