"""NovelAI: JSON under ``Comment``, the prompt under ``Description``, the model under ``Source``.

Hidden in the pixels, and in WebP, all of these are members of one JSON object, whose ``Comment`` is
a string. From V4 on, prompts have a part for each character. The digits behind the model are
NovelAI's own; no published file has them.
Sources: pictures of novelai.net, image_metadata of NovelAI/novelai-image-metadata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

from kanna.errors import FormatError
from kanna.infotext.editable import Editable
from kanna.infotext.flat_json import Found, objects_in, pair_places, read_fields
from kanna.infotext.info import GenerationInfo, ModelReference
from kanna.infotext.json_text import JsonText, Path
from kanna.infotext.places import INSIDE, JsonPlace, Place, Texts, WholeText
from kanna.infotext.values import Fields, list_of, object_of, text_of
from kanna.infotext.written import Reading, Written

_FIELDS: Final[Fields] = {
    "prompt": ("prompt",),
    "negative": ("uc",),
    "steps": ("steps",),
    "sampler": ("sampler",),
    "scheduler": ("noise_schedule",),
    "cfg_scale": ("scale",),
    "seed": ("seed",),
    "width": ("width",),
    "height": ("height",),
}
# One of these makes an object NovelAI's.
_TELLING: Final = frozenset({"uc", "signed_hash", "v4_prompt", "n_samples"})
_SOURCE: Final = re.compile(r"(.*\S)\s+([0-9A-F]{8})")


class _Comment(NamedTuple):
    """The JSON of the settings, and where it is: in a text, or inside of another object."""

    found: Found
    base: Path
    outer: Found | None

    def place(self, path: Path) -> JsonPlace:
        if self.outer is None:
            return self.found.place(*path)
        return self.outer.place(*self.base, *path)


def open_novelai(texts: Texts) -> Editable | None:
    """Return the texts as NovelAI writes them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    comment = next(_comments(texts), None)
    if comment is None:
        return None
    fields = read_fields(comment.found, _FIELDS)
    document = comment.found.document
    said = dict(_said(texts, comment))
    info = fields.fill(GenerationInfo(dialect="novelai"))
    if "Img2Img" in str(document.get("request_type")):
        info = read_fields(comment.found, {"denoising_strength": ("strength",)}).fill(info)
    info = replace(
        info,
        prompt=info.prompt if info.prompt is not None else text_of(said.get("Description")),
        prompts=dict(_characters(document)),
        program=text_of(said.get("Software")) or "NovelAI",
        models=tuple(_models(text_of(said.get("Source")))),
        parameters=fields.pairs(document),
    )
    places: dict[str, tuple[Place, ...]] = {
        name: tuple(comment.place(_path(one)) for one in some)
        for name, some in fields.places.items()
    }
    places |= _prompt_places(texts, comment, info)
    pairs = {
        key: tuple(comment.place(_path(one)) for one in some)
        for key, some in pair_places(comment.found).items()
    }
    return Reading(info=info, places=places, pairs=pairs, new=lambda key: comment.place((key,)))


def _path(place: Place) -> Path:
    assert isinstance(place, JsonPlace)
    return place.path


def _comments(texts: Texts) -> Iterator[_Comment]:
    """Yield the objects that are settings, those that are texts themselves first."""
    every = objects_in(texts)
    for found in every:
        if _TELLING & found.document.keys() and "steps" in found.document:
            yield _Comment(found, (), None)
    for outer in every:
        inner = outer.document.get("Comment")
        try:
            json = JsonText.parse(inner) if isinstance(inner, str) else None
        except FormatError:
            continue
        if json is not None and isinstance(json.value, dict) and "steps" in json.value:
            yield _Comment(Found(outer.number, json), ("Comment", INSIDE), outer)


def _said(texts: Texts, comment: _Comment) -> Iterator[tuple[str, Any]]:
    """Yield what stands beside the settings, by keyword."""
    if comment.outer is not None:
        yield from comment.outer.document.items()
    else:
        yield from ((one.keyword, one.text) for one in texts)


def _captions(document: object) -> list[Any]:
    return list_of(object_of(object_of(document).get("caption")).get("char_captions"))


def _characters(document: Any) -> Iterator[tuple[str, str]]:
    for key, name in (
        ("v4_prompt", "character {}"),
        ("v4_negative_prompt", "character {} negative"),
    ):
        for number, caption in enumerate(_captions(document.get(key)), 1):
            text = text_of(object_of(caption).get("char_caption"))
            if text:
                yield name.format(number), text


def _prompt_places(
    texts: Texts, comment: _Comment, info: GenerationInfo
) -> dict[str, tuple[Place, ...]]:
    """Return every place that says the prompt, or the negative one."""
    document = comment.found.document
    return {
        name: places
        for name, key, caption, text in (
            ("prompt", "prompt", "v4_prompt", info.prompt),
            ("negative", "uc", "v4_negative_prompt", info.negative),
        )
        if (places := (
            *(comment.place(path) for path in ((key,), (caption, "caption", "base_caption"))
              if JsonText(text="", value=document).get(path) == text),
            *(_descriptions(texts, comment, text) if name == "prompt" else ()),
        ))
    }  # fmt: skip


def _descriptions(texts: Texts, comment: _Comment, prompt: str | None) -> Iterator[Place]:
    if comment.outer is not None and comment.outer.document.get("Description") == prompt:
        yield comment.outer.place("Description")
    for number, one in enumerate(texts):
        if one.keyword == "Description" and one.text == prompt:
            yield WholeText(text=number)


def _models(source: str | None) -> Iterator[ModelReference]:
    if source:
        match = _SOURCE.fullmatch(source.strip())
        yield ModelReference(
            role="checkpoint",
            name=match[1] if match else source,
            digest=match[2].lower() if match else None,
            where="Source",
        )
