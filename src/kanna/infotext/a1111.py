"""Texts in the grammar of AUTOMATIC1111: its own, and those of Forge, SD.Next and Civitai.

The grammar and what is odd about it are in `kanna.infotext.a1111_grammar`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from kanna.infotext import a1111_editing
from kanna.infotext.a1111_info import info_of
from kanna.infotext.a1111_pairs import is_json
from kanna.infotext.info import GenerationInfo
from kanna.pictures.picture import PictureText


@dataclass(frozen=True, slots=True, kw_only=True)
class A1111Text:
    """The texts of a picture, of which the one at `at` is in A1111's grammar.

    Implements `kanna.infotext.editable.Editable`: a text that is not changed comes back as it was.
    """

    picture_texts: tuple[PictureText, ...]
    at: int

    @property
    def text(self) -> str:
        """The text itself."""
        return self.picture_texts[self.at].text

    @property
    def info(self) -> GenerationInfo:
        """What it says."""
        return info_of(self.text)

    def with_prompt(self, prompt: str) -> Self:
        """Return it with another prompt; white space around a prompt is no part of it.

        Raises:
            Incompatible: the prompt would be read as something else.
        """
        return self._changed(a1111_editing.with_prompt, prompt)

    def with_negative(self, negative: str) -> Self:
        """Return it with another negative prompt; an empty one is left out, label and all.

        Raises:
            Incompatible: it would be read as something else.
        """
        return self._changed(a1111_editing.with_negative, negative)

    def with_parameter(self, key: str, value: str) -> Self:
        """Return it with this pair: in the place of every old one, else behind the last.

        Raises:
            Incompatible: there is no such key in this grammar, or no parameters to add it to.
        """
        return self._changed(a1111_editing.with_pair, key, value)

    def without_parameter(self, key: str) -> Self:
        """Return it without any pair of this key.

        Raises:
            Incompatible: what is left would not be read as parameters any more.
        """
        return self._changed(a1111_editing.without_pair, key)

    def texts(self) -> tuple[PictureText, ...]:
        """Return all texts of the picture, in their places and order."""
        return self.picture_texts

    def _changed(self, change: Callable[..., str], *words: str) -> Self:
        new = replace(self.picture_texts[self.at], text=change(self.text, *words))
        texts = (*self.picture_texts[: self.at], new, *self.picture_texts[self.at + 1 :])
        return replace(self, picture_texts=texts)


def open_a1111(texts: Sequence[PictureText], chosen: PictureText) -> A1111Text | None:
    """Return the texts of a picture, of which `chosen` is read; None where it is blank or JSON."""
    if not chosen.text.strip() or is_json(chosen.text.strip()):
        return None
    at = next(number for number, one in enumerate(texts) if one is chosen)
    return A1111Text(picture_texts=tuple(texts), at=at)


def open_a1111_text(text: str) -> A1111Text:
    """Return what a text file says; a text without parameters is a prompt."""
    only = PictureText(place="iTXt", keyword="parameters", text=text)
    return A1111Text(picture_texts=(only,), at=0)
