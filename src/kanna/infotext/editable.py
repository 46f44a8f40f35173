"""What every dialect can do with its text: say what is in it, and change one thing of it."""

from __future__ import annotations

from typing import Protocol, Self

from kanna.infotext.info import GenerationInfo
from kanna.pictures.picture import PictureText


class Editable(Protocol):
    """The texts of a picture, taken apart without losing a byte.

    Every change gives a new value; what was not changed comes back byte for byte. A dialect that
    has no place for something raises `kanna.errors.Incompatible`.
    """

    @property
    def info(self) -> GenerationInfo:
        """What the texts say."""

    def with_prompt(self, prompt: str) -> Self:
        """Return it with another prompt."""

    def with_negative(self, negative: str) -> Self:
        """Return it with another negative prompt; an empty one is left out where that is usual."""

    def with_parameter(self, key: str, value: str) -> Self:
        """Return it with this pair: in the place of the old one, else after the last."""

    def without_parameter(self, key: str) -> Self:
        """Return it without any pair of this key."""

    def texts(self) -> tuple[PictureText, ...]:
        """Return all texts of the picture, in their places and order."""
