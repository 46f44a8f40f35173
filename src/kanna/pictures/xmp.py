"""One property out of an XMP packet, found as text: no entities expand, nothing is fetched.

Source: XMP specification part 1, 7 (RDF/XML): a property is an attribute, or an element whose
value may be wrapped into a list of languages.
"""

from __future__ import annotations

import re
from typing import Final

_ENTITIES: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ENTITY: Final = re.compile(r"&(#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[a-z]{2,4});")
_ITEM: Final = "rdf:li"


def xmp_value(text: str, name: str) -> str | None:
    """Return the property called `name` (``exif:UserComment``) in an XMP packet, or None.

    Of a value in several languages the first is taken.
    """
    value = _element(text, name)
    if value is None:
        return _attribute(text, name)
    if "<" in value and not value.lstrip().startswith("<![CDATA["):
        value = _element(value, _ITEM)
    return None if value is None else _plain(value)


def _attribute(text: str, name: str) -> str | None:
    found = re.search(rf"[\s]{re.escape(name)}\s?=\s?([\"'])", text)
    if found is None:
        return None
    end = text.find(found[1], found.end())
    return None if end < 0 else _unescaped(text[found.end() : end])


def _element(text: str, name: str) -> str | None:
    """Return what stands between the first start of an element and its end."""
    found = re.search(rf"<{re.escape(name)}(?=[\s>/])", text)
    if found is None:
        return None
    begin = text.find(">", found.end())
    if begin < 0 or text[begin - 1] == "/":
        return None
    end = text.find(f"</{name}", begin)
    return None if end < 0 else text[begin + 1 : end]


def _plain(value: str) -> str:
    inner = value.strip()
    if inner.startswith("<![CDATA[") and inner.endswith("]]>"):
        return inner[9:-3]
    return _unescaped(value)


def _unescaped(value: str) -> str:
    return _ENTITY.sub(_character, value)


def _character(found: re.Match[str]) -> str:
    name = found[1]
    if not name.startswith("#"):
        return _ENTITIES.get(name, found[0])
    number = int(f"0{name[1:]}", 16) if name[1] == "x" else int(name[1:])
    return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else found[0]
