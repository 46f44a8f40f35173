"""Generation data that are one JSON object: which texts hold one, and its members as fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from kanna.errors import FormatError, Incompatible
from kanna.infotext.info import GenerationInfo, Parameter
from kanna.infotext.json_text import JsonText, Path
from kanna.infotext.places import JsonPlace, Place, Texts, as_old, with_text
from kanna.infotext.values import Fields, object_of, pairs_of, read_field, text_of, whole_of
from kanna.pictures.picture import PictureText

_DIGITS: Final = re.compile(r"\d+")
_TWO_NUMBERS: Final = re.compile(r"\D{0,4}(\d{1,6})\D{1,4}(\d{1,6})\D{0,4}")


class Found(NamedTuple):
    """A text of the picture that holds JSON: its number, and the JSON."""

    number: int
    json: JsonText

    @property
    def document(self) -> Mapping[str, Any]:
        """The object that it is, an empty one where it is something else."""
        return object_of(self.json.value)

    def place(self, *path: str | int) -> JsonPlace:
        """Return the place of the value at `path`."""
        return JsonPlace(text=self.number, path=path, start=self.json.start)


def json_in(one: PictureText) -> JsonText | None:
    """Return the JSON that a text is, None where it is none."""
    if one.text.lstrip("\ufeff \t\r\n")[:1] != "{":
        return None
    try:
        return JsonText.parse(one.text)
    except FormatError:
        return None


def objects_in(texts: Texts) -> list[Found]:
    """Return all texts that are JSON objects, in their order."""
    found = ((number, json_in(one)) for number, one in enumerate(texts))
    return [Found(number, json) for number, json in found if json is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatFields:
    """What a table of keys found in an object: fields of `GenerationInfo`, places and keys."""

    values: Mapping[str, Any]
    places: Mapping[str, tuple[Place, ...]]
    keys: Mapping[str, str] = field(default_factory=dict)

    def pairs(self, document: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Return all members of an object as parameters, but the prompts."""
        prompts = {self.keys.get("prompt"), self.keys.get("negative")}
        return pairs_of({key: value for key, value in document.items() if key not in prompts})

    def fill(self, info: GenerationInfo) -> GenerationInfo:
        """Return `info` with these fields."""
        return replace(info, **self.values)


NO_FIELDS: Final = FlatFields(values={}, places={})


def read_fields(found: Found, fields: Fields, base: Path = ()) -> FlatFields:
    """Return the fields that the object at `base` of a text holds, by a table of keys."""
    document = object_of(found.json.get(base)) if base else found.document
    return fields_of(document, fields, lambda key: (found.place(*base, key),))


def fields_of(
    document: Mapping[str, Any], fields: Fields, places: Callable[[str], tuple[Place, ...]]
) -> FlatFields:
    """Return the fields that `document` holds, by a table of keys, with those keys' places."""
    values: dict[str, Any] = {}
    keys: dict[str, str] = {}
    for name, some in fields.items():
        value, key = read_field(name, document, some)
        if key is not None:
            values[name], keys[name] = value, key
    return FlatFields(
        values=values, places={name: places(key) for name, key in keys.items()}, keys=keys
    )


def pair_places(found: Found, base: Path = ()) -> dict[str, tuple[Place, ...]]:
    """Return the places of all members of the object at `base` of a text."""
    document = object_of(found.json.get(base)) if base else found.document
    return {text_of(key) or "": (found.place(*base, key),) for key in document}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePlace:
    """Width (`side` 0) or height (`side` 1) in a string such as ``512x768`` or ``(512, 768)``."""

    place: JsonPlace
    side: int

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place; see `kanna.infotext.places.Place`."""
        if value is None or whole_of(value) is None:
            raise Incompatible("infotext_dialects.wrong_type", name="size", value=value)
        json = JsonText.parse(texts[self.place.text].text, self.place.start)
        old = str(json.get(self.place.path))
        match = list(_DIGITS.finditer(old))[self.side]
        new = old[: match.start()] + value.strip() + old[match.end() :]
        return with_text(
            texts, self.place.text, json.with_value(self.place.path, as_old(old, new, "size")).text
        )


def read_size(found: Found, *path: str | int) -> FlatFields:
    """Return width and height from a string that holds both."""
    match = _TWO_NUMBERS.fullmatch(text_of(found.json.get(path)) or "")
    if match is None:
        return NO_FIELDS
    place = found.place(*path)
    return FlatFields(
        values={"width": int(match[1]), "height": int(match[2])},
        places={
            "width": (SizePlace(place=place, side=0),),
            "height": (SizePlace(place=place, side=1),),
        },
    )
