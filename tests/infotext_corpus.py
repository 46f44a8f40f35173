"""Pictures' texts as each program but A1111 writes them, with what they say: ``data/infotext``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kanna.infotext.info import GenerationInfo, ModelReference
from kanna.pictures.picture import PictureText

DIALECTS = (
    "comfyui", "drawthings", "easydiffusion", "fooocus", "invokeai", "midjourney", "novelai",
    "swarmui",
)  # fmt: skip
FOLDER = Path(__file__).parent / "data" / "infotext"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The texts of a picture; `info` without parameters, some of which are `pairs`."""

    name: str
    texts: tuple[PictureText, ...]
    info: GenerationInfo
    pairs: dict[str, str]
    edits: tuple[str, ...]

    def text(self, keyword: str) -> str:
        return next(one.text for one in self.texts if one.keyword == keyword)


@cache
def cases(dialect: str) -> tuple[Case, ...]:
    path = FOLDER / f"{dialect}.json"
    return tuple(_case(dialect, raw) for raw in json.loads(path.read_text(encoding="utf-8")))


def every_case() -> tuple[Case, ...]:
    return tuple(one for dialect in DIALECTS for one in cases(dialect))


def _case(dialect: str, raw: dict[str, Any]) -> Case:
    texts = (PictureText(place=p, keyword=k, text=text) for p, k, text in raw["texts"])
    return Case(
        name=f"{dialect}: {raw['name']}",
        texts=tuple(texts),
        info=_info(raw["info"]),
        pairs=raw["pairs"],
        edits=tuple(raw["edits"]),
    )


def _info(raw: dict[str, Any]) -> GenerationInfo:
    models = tuple(
        ModelReference(role=r, name=n, digest=d, meanings=tuple(m), weight=w, stage=s)
        for r, n, d, m, w, s in raw.pop("models", [])
    )
    return GenerationInfo(models=models, **raw)
