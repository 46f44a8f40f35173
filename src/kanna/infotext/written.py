"""What all dialects but A1111's have in common: texts, what they say, and where they say it.

A dialect is a function from texts to a `Reading`. A change is put into the texts, in all places
that say the thing, and the result is read anew: nothing else has to be kept in step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from kanna.errors import Incompatible
from kanna.infotext.info import GenerationInfo
from kanna.infotext.places import Place, Texts, put_all

# What people, and other dialects, call the fields of `GenerationInfo`.
_WORDS: Final = {
    "steps": "steps",
    "num_inference_steps": "steps",
    "sampler": "sampler",
    "sampler_name": "sampler",
    "scheduler": "scheduler",
    "schedule type": "scheduler",
    "cfg": "cfg_scale",
    "cfg scale": "cfg_scale",
    "cfg_scale": "cfg_scale",
    "guidance_scale": "cfg_scale",
    "distilled cfg scale": "distilled_cfg_scale",
    "distilled_cfg_scale": "distilled_cfg_scale",
    "seed": "seed",
    "width": "width",
    "height": "height",
    "denoise": "denoising_strength",
    "denoising strength": "denoising_strength",
    "denoising_strength": "denoising_strength",
    "clip skip": "clip_skip",
    "clip_skip": "clip_skip",
}


def said_as(word: str, info: GenerationInfo) -> str | None:
    """Return what `info` says under a usual word, None where it says nothing of it."""
    if word.lower() == "size":
        return f"{info.width}x{info.height}" if info.width and info.height else None
    field_name = _WORDS.get(word.lower())
    value = None if field_name is None else getattr(info, field_name)
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What texts say, and where.

    `places` has fields of `GenerationInfo` by their names. `pairs` has the keys of its parameters.
    `new` makes a place for a pair that is not there yet; None where there can be none.
    """

    info: GenerationInfo
    places: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    pairs: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    new: Callable[[str], Place] | None = None

    def find(self, key: str) -> tuple[Place, ...]:
        """Return the places of a pair, by its own key or by what people call it."""
        return self.pairs.get(key) or self.places.get(_WORDS.get(key.lower(), ""), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The texts of a picture as one of the dialects reads them; see `Editable`."""

    picture: Texts
    reading: Reading
    read: Callable[[Texts], Reading | None]

    @classmethod
    def open(cls, texts: Texts, read: Callable[[Texts], Reading | None]) -> Self | None:
        """Return the texts as `read` reads them, None where they are not of its dialect."""
        reading = read(texts)
        return None if reading is None else cls(picture=texts, reading=reading, read=read)

    @property
    def info(self) -> GenerationInfo:
        """What the texts say."""
        return self.reading.info

    def texts(self) -> Texts:
        """Return all texts of the picture, in their places and order."""
        return self.picture

    def with_prompt(self, prompt: str) -> Self:
        """Return it with another prompt.

        Raises:
            Incompatible: the prompt stands in no single place.
        """
        return self._put("prompt", self.reading.places.get("prompt", ()), prompt)

    def with_negative(self, negative: str) -> Self:
        """Return it with another negative prompt.

        Raises:
            Incompatible: there is no place for one.
        """
        return self._put("negative prompt", self.reading.places.get("negative", ()), negative)

    def with_parameter(self, key: str, value: str) -> Self:
        """Return it with this pair; `key` is the text's own, or a usual word for the same.

        Raises:
            Incompatible: there is no place for it, or it is no value of the right type.
        """
        if key.lower() == "size" and not self.reading.find(key):
            return self._with_size(value)
        places = self.reading.find(key)
        if not places and self.reading.new is not None:
            places = (self.reading.new(key),)
        return self._put(key, places, value)

    def without_parameter(self, key: str) -> Self:
        """Return it without any pair of this key.

        Raises:
            Incompatible: it cannot be left out.
        """
        places = self.reading.find(key)
        return self._put(key, places, None) if places else self

    def _with_size(self, value: str) -> Self:
        width, _, height = value.partition("x")
        return self.with_parameter("width", width).with_parameter("height", height)

    def _put(self, name: str, places: tuple[Place, ...], value: str | None) -> Self:
        if not places:
            program = self.info.dialect
            raise Incompatible("infotext_dialects.no_place", name=name, program=program)
        changed = type(self).open(put_all(self.picture, places, value), self.read)
        if changed is None:
            raise Incompatible("infotext_dialects.not_removable", name=name)
        return changed
