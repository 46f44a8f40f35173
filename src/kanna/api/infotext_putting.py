"""Texts put into pictures: into a copy of one, or into a new small one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kanna.api.infotext_changing import bytes_with, finish
from kanna.api.infotext_reading import read_infotext
from kanna.api.infotext_targets import check_apart, infotext_outputs, infotext_sources
from kanna.api.infotext_traces import fitted, generation_texts
from kanna.api.infotext_values import Infotext, InfotextChange, InfotextOptions, InfotextSource
from kanna.api.reading import StrPath
from kanna.errors import Incomplete, UsageError
from kanna.model import Note
from kanna.pictures import new_png
from kanna.pictures.picture import PictureText


def write_infotext(
    text: StrPath, destination: StrPath, *, picture: StrPath | None = None,
    options: InfotextOptions | None = None,
) -> InfotextChange:  # fmt: skip
    """Put the text file `text` into a copy of `picture`, or into a new PNG of one pixel.

    What `picture` says of how it was made gives way to the text; its image is not touched.

    Raises:
        Incomplete: the text is empty, or a file is not there.
        FormatError: the text is not encoded as said, or the picture is broken.
        Incompatible: the picture's container has no place for such a text.
        KannaError: the destination cannot be written.
    """
    options = options or InfotextOptions()
    words = read_infotext(text, encoding=options.encoding)
    if words.is_picture:
        raise UsageError("infotext_write.is_picture", path=words.path)
    if not "".join(one.text for one in words.texts):
        raise Incomplete("infotext_write.empty", path=words.path)
    words = _with_bom(words)
    target = Path(destination)
    if picture is None:
        return _new(words, target, options)
    return _into(words, read_infotext(picture), target, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureToWrite:
    """A text, the picture into a copy of which it goes (None: a new one), and that copy."""

    text: Path
    picture: Path | None
    output: Path


def written_pictures(
    sources: Sequence[InfotextSource], picture: StrPath | None, output: StrPath, *, folder: bool
) -> list[PictureToWrite]:
    """Return where each text goes: into `picture`, that of its stem in a folder, or a new one.

    Raises:
        UsageError: one picture cannot take several texts, two outputs would be one file, or the
            suffix of `output` is another than the picture's.
    """
    pictures = _pictures_for(sources, picture)
    suffixes = [".png" if one is None else one.suffix for one in pictures]
    outputs = infotext_outputs(sources, output, suffixes, folder=folder)
    if not folder and _kind(outputs[0].suffix) != _kind(suffixes[0]):
        raise UsageError("infotext_write.suffix", name=output, suffix=suffixes[0])
    check_apart([InfotextSource(path=p, below=p) for p in pictures if p is not None], outputs)
    return [
        PictureToWrite(text=source.path, picture=one, output=target)
        for source, one, target in zip(sources, pictures, outputs, strict=True)
    ]


def _pictures_for(
    sources: Sequence[InfotextSource], picture: StrPath | None
) -> Sequence[Path | None]:
    if picture is None:
        return [None] * len(sources)
    if not os.path.isdir(picture):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        if len(sources) > 1:
            raise UsageError("infotext_write.one_picture", path=picture)
        return [Path(picture)]
    there = {
        one.below.with_suffix(""): one.path for one in infotext_sources([picture], recursive=True)
    }
    # one that is missing is told of when it is opened
    return [
        there.get(source.below.with_suffix(""), Path(picture, source.below).with_suffix(".png"))
        for source in sources
    ]


def _kind(suffix: str) -> str:
    return {".jpg": ".jpeg"}.get(suffix.lower(), suffix.lower())


def _with_bom(words: Infotext) -> Infotext:
    """Return a text with its byte order mark in front, so that it comes out of a picture again."""
    if not words.bom:
        return words
    first, *others = words.texts
    return replace(
        words, texts=(replace(first, text=words.bom + first.text), *others),
        notes=(*words.notes, Note("infotext_write.bom", {}, warning=False)),
    )  # fmt: skip


def _new(words: Infotext, target: Path, options: InfotextOptions) -> InfotextChange:
    texts = fitted(words.texts, "png")
    blank = Infotext(path=words.path, holder="png", size=0, width=1, height=1, texts=(),
                     editable=None)  # fmt: skip
    data = new_png(texts)
    return finish(blank, texts, data, target, options, words.notes, changed=True)


def _into(
    words: Infotext, picture: Infotext, target: Path, options: InfotextOptions
) -> InfotextChange:
    if picture.container is None:
        raise UsageError("infotext_write.no_such_picture", path=picture.path)
    gone = generation_texts(picture)
    texts = _placed(picture, gone, fitted(words.texts, picture.container))
    notes = [*words.notes]
    if gone:
        names = ", ".join(dict.fromkeys(text.keyword or text.place for text in gone))
        notes.append(Note("infotext_write.replaced", {"names": names}, warning=False))
    data = bytes_with(picture, texts)
    return finish(picture, texts, data, target, options, notes, changed=True)


def _placed(
    picture: Infotext, gone: tuple[PictureText, ...], new: tuple[PictureText, ...]
) -> tuple[PictureText, ...]:
    """Return the picture's texts with `new` in the place of the first that goes, else in front.

    A text that comes under the keyword of one that stays replaces that, too.
    """
    taken = {(text.place, text.keyword) for text in new}
    kept, at = list[PictureText](), None
    for text in picture.texts:
        if text in gone or (text.place, text.keyword) in taken:
            at = len(kept) if at is None else at
        else:
            kept.append(text)
    at = at or 0
    return (*kept[:at], *new, *kept[at:])
