"""Which dialect a picture's texts are in: a table, the most telling rows first.

A row only says that a look is worth it. The dialect's own function looks, and returns None where
the texts are not its own after all; then the next row has its turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final, NamedTuple

from kanna.errors import FormatError
from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo
from kanna.infotext.json_text import JsonText
from kanna.infotext.places import Texts
from kanna.infotext.written import Reading, Written
from kanna.model import Note
from kanna.pictures.picture import PictureText


class Row(NamedTuple):
    """A dialect, what tells it, and ``module:function`` that opens texts of it.

    `keywords` are those of which the texts must have one, compared without regard to case; none
    means any. `words` must be in a text under such a keyword; none means any text.
    """

    dialect: str
    opens: str
    keywords: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()

    def tells(self, texts: Texts) -> bool:
        """Whether the texts may be of this dialect."""
        return any(map(self._tells, texts))

    def _tells(self, one: PictureText) -> bool:
        if self.keywords and one.keyword.lower() not in self.keywords:
            return False
        return not self.words or any(word in one.text for word in self.words)


def _keywords(*names: str) -> frozenset[str]:
    return frozenset(names)


TABLE: Final = (
    Row("swarmui", "swarmui:open_swarmui", words=("sui_image_params",)),
    Row(
        "invokeai",
        "invokeai:open_invokeai",
        _keywords("invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata"),
    ),
    Row("invokeai", "invokeai_dream:open_dream", _keywords("dream")),
    Row(
        "drawthings", "drawthings:open_drawthings", words=("Draw Things", "&quot;uc&quot;", '"uc"')
    ),
    Row("novelai", "novelai:open_novelai", words=("NovelAI", '"uc"', '\\"uc\\"')),
    Row("fooocus", "fooocus:open_fooocus", _keywords("fooocus_scheme")),
    Row("fooocus", "fooocus:open_fooocus", words=("Fooocus", '"base_model', '"Base Model"')),
    Row(
        "easydiffusion",
        "easydiffusion:open_easydiffusion",
        _keywords("use_stable_diffusion_model", "stable diffusion model"),
    ),
    Row(
        "easydiffusion",
        "easydiffusion:open_easydiffusion",
        words=("use_stable_diffusion_model", "Stable Diffusion model"),
    ),
    Row(
        "comfyui",
        "comfyui:open_comfyui",
        _keywords("prompt", "workflow"),
        ("{",),
    ),
    Row("comfyui", "comfyui:open_comfyui", words=('"class_type"', '"last_node_id"', '"nodes"')),
    Row("a1111", "detecting:open_parameters", _keywords("parameters")),
    Row("a1111", "detecting:open_parameters", words=("Steps: ", "Negative prompt:")),
    Row("midjourney", "midjourney:open_midjourney", _keywords("description"), ("Job ID",)),
    Row("unknown", "detecting:open_unreadable"),
)
# Keywords that nothing but these programs write.
_TELLING: Final = frozenset({
    "parameters", "invokeai_metadata", "invokeai_graph", "sd-metadata", "dream", "fooocus_scheme",
    "workflow",
})  # fmt: skip
# Where the text of A1111 is looked for, the likeliest first.
_A1111_KEYWORDS: Final = (
    "parameters", "usercomment", "comment", "", "description", "imagedescription",
)  # fmt: skip
# ComfyUI's graphs in EXIF; prompts within may look like anything.
_GRAPH: Final = re.compile(r"(?:prompt|workflow)\s*:\s*\{", re.IGNORECASE)
_A1111_LOOKS: Final = ("negative prompt:", "steps:")
_A1111_WORDS: Final = re.compile(
    r"^Negative prompt:|(?:^|, )Steps: *\d+(?:,|$)", re.MULTILINE | re.IGNORECASE
)


def open_with_table(texts: Sequence[PictureText]) -> Editable | None:
    """Return the texts as the first dialect reads them that takes them for its own."""
    given = tuple(texts)
    for row in TABLE:
        if row.tells(given):
            found = _opener(row.opens)(given)
            if found is not None:
                return found
    return None


def _opener(name: str) -> Callable[[Texts], Editable | None]:
    module, _, function = name.partition(":")
    opener: Callable[[Texts], Editable | None]
    opener = getattr(import_module(f"kanna.infotext.{module}"), function)
    return opener


def open_parameters(texts: Texts) -> Editable | None:
    """Return the texts with that of A1111 and its kin taken apart, None where there is none."""
    chosen = parameters_text(texts)
    if chosen is None:
        return None
    from kanna.infotext.a1111 import open_a1111

    return open_a1111(texts, chosen)


def parameters_text(texts: Texts) -> PictureText | None:
    """Return the text that is in A1111's grammar.

    Under its own keyword it may be anything but JSON; elsewhere it has to look like one.
    """
    found = [one for one in texts if _is_parameters(one)]
    return min(found, key=_order, default=None)


def _order(one: PictureText) -> int:
    keyword = one.keyword.lower()
    return _A1111_KEYWORDS.index(keyword) if keyword in _A1111_KEYWORDS else len(_A1111_KEYWORDS)


def _is_parameters(one: PictureText) -> bool:
    text = one.text.lstrip("\ufeff \t\r\n")
    if not text or one.place == "xmp" or _GRAPH.match(text):
        return False
    if one.keyword == "parameters":
        return text[0] not in "{[" or not _is_json(text)
    lowered = text.lower()  # a quick look: other programs' texts are long
    if not any(word in lowered for word in _A1111_LOOKS):
        return False
    return _A1111_WORDS.search(text) is not None and not _is_json(text)


def _is_json(text: str) -> bool:
    try:
        JsonText.parse(text)
    except FormatError:
        return False
    return True


def open_unreadable(texts: Texts) -> Editable | None:
    """Return texts of which is only known that they were about the picture."""
    return Written.open(texts, _unreadable)


def _unreadable(texts: Texts) -> Reading | None:
    names = [one.keyword for one in texts if _is_told(one)]
    if not names:
        return None
    note = Note("infotext_dialects.unreadable", {"name": ", ".join(names)})
    return Reading(info=GenerationInfo(dialect="unknown", notes=(note,)))


def _is_told(one: PictureText) -> bool:
    told = one.keyword.lower() in _TELLING or '"class_type"' in one.text
    return told and bool(one.text.strip(" \0"))
