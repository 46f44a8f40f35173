"""Which texts of a picture tell how it was made, and in which of another container they fit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from kanna.api.infotext_values import Infotext
from kanna.errors import Incompatible, Incomplete
from kanna.infotext import open_texts
from kanna.pictures.picture import Container, PictureText

# Keywords that only generating programs use, in lower case. Sources: AUTOMATIC1111
# (modules/images.py, extras.py), ComfyUI (nodes.py SaveImage), InvokeAI (metadata of all its
# versions), Fooocus (modules/private_logger.py), SwarmUI, downloads of TensorArt and Civitai.
_KEYWORDS: Final = frozenset({
    "parameters", "extras", "postprocessing", "prompt", "workflow", "generation_data",
    "invokeai_metadata", "invokeai_workflow", "invokeai_graph", "sd-metadata", "dream",
    "fooocus_scheme", "usercomment", "sui_image_params", "negative_prompt",
})  # fmt: skip
# Keywords that others use, too, but that are such a program's where its text is in the picture.
_WITH_DIALECT: Final = {
    "novelai": frozenset({
        "title", "description", "software", "source", "generation time", "comment",
    }),
    "fooocus": frozenset({"comment"}),
}  # fmt: skip
# A text for each field of a form: all texts of the picture are its own.
_ALL_WITH_DIALECT: Final = frozenset({"easydiffusion"})
# A saver of ComfyUI numbers its tags downwards from Make, one for each such text.
_MARKED: Final = re.compile(r"\w+:\s*[\[{]")
# ComfyUI's savers of WebP and AVIF put these into EXIF tags with a word in front.
_TAGS: Final = {"prompt": ("Model", "prompt:"), "workflow": ("Make", "workflow:")}
_USER_COMMENT: Final = "UserComment"


def generation_texts(found: Infotext) -> tuple[PictureText, ...]:
    """Return the texts that tell how the picture was made, without those hidden in its pixels."""
    dialect = "" if found.info is None else found.info.dialect
    return tuple(
        text for text in found.texts if not is_hidden(text) and _tells(text, dialect)
    )  # fmt: skip


def is_hidden(text: PictureText) -> bool:
    """Whether a text is in the pixels."""
    return text.place.startswith("stealth")


def main_text(found: Infotext) -> PictureText:
    """Return the text that tells most of how the picture was made, as a PNG would have it.

    A comment that is the only text counts as such: a prompt by itself looks like any.

    Raises:
        Incomplete: there is none.
    """
    telling = [text for text in found.texts if is_hidden(text)] + [*generation_texts(found)]
    if not telling and [text.place for text in found.texts] == ["comment"]:
        telling = [*found.texts]
    if not telling:
        raise Incomplete("infotext.nothing", path=found.path)
    whole = [text for text in telling if open_texts((text,)) is not None] or telling
    return without_mark(max(whole, key=_says))


def without_mark(text: PictureText) -> PictureText:
    """Return a text of an EXIF tag without the word that ComfyUI's savers put in front."""
    marks = [mark for tag, mark in _TAGS.values() if text.place == "exif" and text.keyword == tag]
    return replace(text, text=text.text.removeprefix("".join(marks)))


def fitted(texts: Iterable[PictureText], container: Container) -> tuple[PictureText, ...]:
    """Return texts of a PNG or a text file in the places that another container has for them.

    Raises:
        Incompatible: it has one such place, and there are more texts.
    """
    texts = tuple(texts)
    if container == "png":
        return tuple(
            text if text.place in {"tEXt", "zTXt", "iTXt"} else
            replace(text, place="iTXt", keyword=_png_keyword(text), encoding="utf-8")
            for text in texts
        )  # fmt: skip
    made = tuple(_fitted(text, container) for text in texts)
    places = {(text.place, text.keyword) for text in made}
    if len(places) < len(made):
        raise Incompatible("infotext.one_place", container=container, count=len(made))
    return made


def _fitted(text: PictureText, container: Container) -> PictureText:
    if text.place in {"exif", "xmp"} and container != "gif":
        return text
    if container == "gif":
        return replace(text, place="comment", keyword="", encoding="utf-8", after_data=False)
    tag, before = _TAGS.get(text.keyword, (_USER_COMMENT, ""))
    return PictureText(place="exif", keyword=tag, text=before + text.text)


def _png_keyword(text: PictureText) -> str:
    return next((word for word, (tag, _) in _TAGS.items() if tag == text.keyword), "parameters")


def _tells(text: PictureText, dialect: str) -> bool:
    keyword = text.keyword.lower()
    if keyword in _KEYWORDS or dialect in _ALL_WITH_DIALECT:
        return True
    if text.place == "exif" and _MARKED.match(text.text):
        return True
    return keyword in _WITH_DIALECT.get(dialect, ()) or open_texts((text,)) is not None


def _says(text: PictureText) -> int:
    """Return how much a text says by itself: values, then pairs."""
    editable = open_texts((text,))
    if editable is None:
        return -1
    info = editable.info
    told = [info.prompt, info.negative, info.seed, info.steps, info.sampler]
    return 1000 * sum(value is not None for value in told) + min(len(info.parameters), 999)
