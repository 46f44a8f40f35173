"""A change of texts carried out: the new file is made, proved, and only then published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kanna.api.infotext_values import Infotext, InfotextChange, InfotextOptions
from kanna.disk import Fingerprint, make_folder
from kanna.engine import publish, rehearse_publish, remove_leftovers
from kanna.errors import FormatError, Incompatible
from kanna.model import Note
from kanna.pictures import with_texts
from kanna.pictures.picture import PictureText


def infotext_batch(options: InfotextOptions, outputs: Iterable[Path]) -> InfotextOptions:
    """Return options for a batch, whose first step is done: no leftover of a killed run is there.

    Each of its files by itself would look for them in the whole folder. `outputs` are all files
    that the batch may write.
    """
    if not options.dry_run:
        remove_leftovers(*outputs)
    return replace(options, tidied=True)


def change_texts(
    found: Infotext, texts: tuple[PictureText, ...], destination: Path | None,
    options: InfotextOptions, notes: Iterable[Note] = (),
) -> InfotextChange:  # fmt: skip
    """Write `found` with these `texts` to `destination`, or in its place; nothing else changes.

    Raises:
        Incompatible: the file cannot hold such a text.
        KannaError: it cannot be written, or does not come back as it was written.
    """
    changed = texts != found.texts
    data = bytes_with(found, texts) if changed else b""
    return finish(found, texts, data, destination, options, notes, changed=changed)


def finish(
    found: Infotext, texts: tuple[PictureText, ...], data: bytes, destination: Path | None,
    options: InfotextOptions, notes: Iterable[Note] = (), *, changed: bool,
) -> InfotextChange:  # fmt: skip
    """Publish `data`, unless nothing changed or only the plan was asked for.

    Raises:
        KannaError: it cannot be written.
    """
    if changed:
        write(destination or found.path, data, options, replaces=destination is None)
    return InfotextChange(
        path=found.path, destination=None if destination is None else destination.absolute(),
        before=found.texts, after=texts, notes=tuple(notes), changed=changed,
        dry_run=options.dry_run, size=len(data) if changed else found.size,
        in_picture=found.is_picture,
    )  # fmt: skip


def bytes_with(found: Infotext, texts: tuple[PictureText, ...]) -> bytes:
    """Return the file of `found` with these texts: as it is in all else, its image too.

    Raises:
        Incompatible: it cannot hold such a text.
        FormatError: it changed since it was read.
    """
    if found.is_picture:
        data = with_texts(found.path, texts)
    else:
        data = encoded(found.path, found.bom + "".join(t.text for t in texts), found.encoding)
    check_unchanged(found)
    return data


def encoded(path: Path, text: str, encoding: str) -> bytes:
    """Return a text as the bytes of a file.

    Raises:
        Incompatible: the encoding has no such letters.
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        letter = text[error.start : error.start + 1]
        raise Incompatible(
            "infotext.not_encodable", path=path, letter=letter, encoding=encoding
        ) from error


def check_unchanged(found: Infotext) -> None:
    """Refuse a file that is not what it was when its texts were read.

    Raises:
        FormatError: it changed.
    """
    try:
        now = Fingerprint.of(found.path.stat())
    except OSError:
        now = None
    if now is None or now != found.fingerprint:
        raise FormatError("engine.input_changed", path=found.path)


def write(target: Path, data: bytes, options: InfotextOptions, *, replaces: bool = False) -> None:
    """Write a file whole or not at all; in a dry run, see whether it could be.

    Raises:
        KannaError: it cannot be written, or something is there already.
    """
    force = options.force or replaces
    if options.dry_run:
        rehearse_publish(target, force=force)
        return
    if not replaces:
        make_folder(target.parent)
    publish(target, data, force=force, tidied=options.tidied)
