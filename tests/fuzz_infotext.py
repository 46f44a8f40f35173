"""Fuzzing what pictures say: texts of any dialect, and changes in them."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from infotext_corpus import every_case
from kanna.errors import KannaError
from kanna.infotext import open_text, open_texts
from kanna.infotext.editable import Editable
from kanna.pictures.picture import PictureText

# Between the texts of a picture, and between keyword and text.
_BETWEEN: Final = "\x1e"
_WITHIN: Final = "\x1f"
_PLACES: Final = {"": "stealth_alpha", "XML:com.adobe.xmp": "xmp", "UserComment": "exif"}


def picture_texts(data: bytes) -> None:
    """Texts of a picture: kept as they are, told in words that can be stored, changed or refused."""
    texts = tuple(map(_text, data.decode("utf-8", "replace").split(_BETWEEN)))
    _look(open_texts(texts), texts)
    with suppress(KannaError):
        open_text(texts[0].text)


def _text(raw: str) -> PictureText:
    keyword, _, text = raw.rpartition(_WITHIN)
    place = _PLACES.get(keyword, "tEXt")
    return PictureText(place=place, keyword=keyword, text=text)  # type: ignore[arg-type]


def _look(found: Editable | None, texts: tuple[PictureText, ...]) -> None:
    if found is None:
        return
    assert found.texts() == texts
    json.dumps(asdict(found.info), ensure_ascii=False, default=str).encode()
    with suppress(KannaError):
        assert found.with_prompt("a, 猫").info.prompt == "a, 猫"
    for key, value in (("seed", "5"), ("size", "64x32"), ("my own", "x"), ("steps", "")):
        with suppress(KannaError):
            _again(found.with_parameter(key, value))
    with suppress(KannaError):
        _again(found.without_parameter("seed"))


def _again(changed: Editable) -> None:
    found = open_texts(changed.texts())
    assert found is None or found.texts() == changed.texts()


def picture_text_seeds() -> list[bytes]:
    """The corpus of every dialect, as one input each."""
    return [
        _BETWEEN.join(f"{one.keyword}{_WITHIN}{one.text}" for one in case.texts).encode()
        for case in every_case()
    ]
