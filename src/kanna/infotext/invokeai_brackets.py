"""Prompts of InvokeAI before version 3: the negative one stands in the same text, in brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kanna.infotext.json_text import JsonText
from kanna.infotext.places import JsonPlace, Place, Span, Texts

_BRACKETS: Final = re.compile(r"(?<!\s)\s*\[([^\[\]]*)\]")


def parted(text: str) -> tuple[str, str | None]:
    """Return the prompt and, where there are brackets, what is in them."""
    inside = [one.strip(" ,") for one in _BRACKETS.findall(text)]
    prompt = _BRACKETS.sub("", text).strip()
    return prompt, ", ".join(filter(None, inside)) if inside else None


def joined(prompt: str, negative: str | None) -> str:
    """Return both in one text; an empty negative prompt is left out."""
    return f"{prompt} [{negative}]" if negative else prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class BracketPlace:
    """The prompt, or with `negative` what is in brackets, of a text that has both."""

    place: JsonPlace | Span
    negative: bool

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place; see `kanna.infotext.places.Place`."""
        prompt, negative = parted(self._now(texts))
        new = joined(prompt, value) if self.negative else joined(value or "", negative)
        whole: Place = self.place
        return whole.put(texts, new)

    def _now(self, texts: Texts) -> str:
        text = texts[self.place.text].text
        if isinstance(self.place, Span):
            return text[self.place.start : self.place.end]
        return str(JsonText.parse(text, self.place.start).get(self.place.path))
