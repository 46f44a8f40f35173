"""HTML as plain text: sites hand out descriptions as HTML, and a header is no place for it.

Strangers write it, so that one look at every character has to do: `html.parser` takes minutes for
some hundred thousand brackets that never close.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

# A comment's beginning or end, or a tag: its slash and name. What only looks like one, such as
# ``<lora:name:1>`` or ``a < b``, is text.
_MARKUP: Final = re.compile(
    r"""<!--|-->|<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)(?=[\s/>])(?:[^<>"']|"[^"<]*"|'[^'<]*')*>""",
    re.IGNORECASE,
)
_ENTITY: Final = re.compile(r"&(?:[a-z][a-z0-9]*|#[0-9]+|#x[0-9a-f]+);", re.IGNORECASE)
_BREAKS: Final = frozenset({
    "p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "hr",
})  # fmt: skip
_SILENT: Final = frozenset({"script", "style", "<!--"})


def plain(text: str) -> str:
    """Return the text that a browser would show of `text`; what is no HTML stays as it is."""
    if not (_MARKUP.search(text) or _ENTITY.search(text)):
        return text.strip()
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in _heard(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _heard(text: str) -> str:
    """Return what is text between the markup, with lines broken where a browser would."""
    heard: list[str] = []
    place, silent = 0, ""
    for markup in _MARKUP.finditer(text):
        name = (markup["name"] or markup[0]).lower()
        if not silent:
            heard.append(unescape(text[place : markup.start()]))
            heard.append(_break(name, ends=bool(markup["end"])))
            silent = name if name in _SILENT and not markup["end"] else ""
        elif name == {"<!--": "-->"}.get(silent, silent):
            silent = ""
        place = markup.end()
    return "".join(heard) + ("" if silent else unescape(text[place:]))


def _break(name: str, *, ends: bool) -> str:
    if ends:
        return "\n" if name == "p" else ""
    return "\n- " if name == "li" else "\n" * (name in _BREAKS)
