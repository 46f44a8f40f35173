"""HTML as plain text: sites hand out descriptions as HTML, and a header is no place for it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_BREAKS: Final = {
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "tr",
    "hr",
}
_SILENT: Final = {"script", "style"}


def plain(text: str) -> str:
    """Return the text that a browser would show of `text`; what is no HTML stays as it is."""
    if not re.search(r"</?[a-zA-Z][^<>]*>|&[a-z#0-9]+;", text):
        return text.strip()
    reader = _Reader()
    reader.feed(text)
    reader.close()
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(reader.heard).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Keeps what is text, and breaks lines where a browser would."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.heard: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Break the line where the tag does."""
        del attrs
        if tag in _SILENT:
            self._silent += 1
        if tag in _BREAKS:
            self.heard.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        """End a paragraph."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        if tag == "p":
            self.heard.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if not self._silent:
            self.heard.append(data)
