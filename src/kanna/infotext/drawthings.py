"""Draw Things: JSON in the XMP's exif:UserComment, as text of the XML.

Models are files of its own form, named without a digest.
Sources: pictures of the app; drawthingsai/draw-things-community; receyuki's
stable-diffusion-prompt-reader format/drawthings.py (fields).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any, Final

from kanna.errors import FormatError
from kanna.infotext.editable import Editable
from kanna.infotext.flat_json import Found, SizePlace, pair_places, read_fields, read_size
from kanna.infotext.info import GenerationInfo, ModelReference, Role
from kanna.infotext.json_text import JsonText
from kanna.infotext.places import JsonPlace, Place, Texts, with_text
from kanna.infotext.values import Fields, list_of, number_of, object_of, text_of
from kanna.infotext.written import Reading, Written
from kanna.pictures.picture import PictureText

_FIELDS: Final[Fields] = {
    "prompt": ("c",),
    "negative": ("uc",),
    "steps": ("steps",),
    "sampler": ("sampler",),
    "cfg_scale": ("scale",),
    "seed": ("seed",),
    "denoising_strength": ("strength",),
    "clip_skip": ("clip_skip",),
}
# Keys of lists of models, each with what its members are and the key of their weight.
_LISTS: Final[tuple[tuple[str, Role], ...]] = (("lora", "lora"), ("control", "controlnet"))
_COMMENT: Final = re.compile(
    r"<exif:UserComment\b[^<>]*>(?:\s*<rdf:(?:Alt|Seq)\b[^<>]*>\s*<rdf:li\b[^<>]*>)?([^<]*)<"
    r'|\bexif:UserComment="([^"]*)"|\bexif:UserComment=\'([^\']*)\''
)
_ESCAPES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_QUOTES: Final = (('"', "&quot;"), ("'", "&apos;"), ('"', "&#34;"), ("'", "&#39;"))


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlPlace:
    """A place of JSON that is the text of XML: what it does is done to the JSON within."""

    inner: JsonPlace | SizePlace
    text: int

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place; see `kanna.infotext.places.Place`."""
        text = texts[self.text].text
        start, end = _span(text) or (0, 0)
        raw = text[start:end]
        inner = (PictureText(place="xmp", keyword="", text=unescape(raw)),)
        (changed,) = self.inner.put(inner, value)
        return with_text(texts, self.text, text[:start] + _escaped(changed.text, raw) + text[end:])


def open_drawthings(texts: Texts) -> Editable | None:
    """Return the texts as Draw Things writes them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    for number, one in enumerate(texts):
        if one.text[:1] == "{" or "exif:UserComment" in one.text:
            inside = "exif:UserComment" in one.text
            found = _found(one.text, number=0 if inside else number, inside=inside)
            if found is not None:
                return _reading(found, number if inside else None)
    return None


def _found(text: str, *, number: int, inside: bool) -> Found | None:
    span = _span(text) if inside else (0, len(text))
    try:
        json = span and JsonText.parse(unescape(text[slice(*span)]) if inside else text)
    except FormatError:
        return None
    ours = json and isinstance(json.value, dict) and {"c", "uc", "sampler"} <= json.value.keys()
    return Found(number, json) if json and ours else None


def _span(text: str) -> tuple[int, int] | None:
    match = _COMMENT.search(text)
    return match.span(match.lastindex or 0) if match else None


def _escaped(text: str, like: str) -> str:
    """Return text for XML, with the quotes written as they are in `like`."""
    for character, name in _ESCAPES:
        text = text.replace(character, name)
    for character, name in _QUOTES:
        if name in like:
            text = text.replace(character, name)
    return text


def _reading(found: Found, xml: int | None) -> Reading:
    fields = read_fields(found, _FIELDS)
    size = read_size(found, "size")
    info = replace(
        size.fill(fields.fill(GenerationInfo(dialect="drawthings"))),
        models=tuple(_models(found.document)),
        parameters=fields.pairs(found.document),
    )

    def outer(places: Mapping[str, tuple[Place, ...]]) -> dict[str, tuple[Place, ...]]:
        return {name: tuple(_outer(one, xml) for one in some) for name, some in places.items()}

    return Reading(
        info=info,
        places=outer({**fields.places, **size.places}),
        pairs=outer(pair_places(found)),
        new=lambda key: _outer(found.place(key), xml),
    )


def _outer(place: Place, xml: int | None) -> Place:
    assert isinstance(place, JsonPlace | SizePlace)
    return place if xml is None else XmlPlace(inner=place, text=xml)


def _models(document: Mapping[str, Any]) -> Iterator[ModelReference]:
    name = text_of(document.get("model"))
    if name:
        yield ModelReference(role="checkpoint", name=name, where="model")
    for stage, key in (("refiner", "refiner"), ("hires", "upscaler")):
        value = document.get(key)
        name = text_of(value) or text_of(object_of(value).get("model"))
        if name:
            role: Role = "upscaler" if key == "upscaler" else "checkpoint"
            yield ModelReference(role=role, name=name, where=key, stage=stage)
    for key, role in _LISTS:
        for one in map(object_of, list_of(document.get(key))):
            name = text_of(one.get("model")) or text_of(one.get("file"))
            if name:
                weight = number_of(one.get("weight"))
                yield ModelReference(role=role, name=name, weight=weight, where=key)
