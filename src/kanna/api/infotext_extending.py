"""The full digests of the models of a picture, added to its text: sd_infotext_ex's idea.

That extension writes ``Model sha256``, ``VAE sha256`` and ``Hypernet sha256``; ``Lora sha256`` is
spelled as A1111 spells ``Lora hashes``. Readers that do not know them keep them.
Source: aka7774/sd_infotext_ex, scripts/sd_infotext_ex.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from kanna.api.infotext_changing import change_texts
from kanna.api.infotext_reading import read_infotext
from kanna.api.infotext_values import InfotextChange, InfotextOptions
from kanna.api.looking_up import LookOptions, matcher_for
from kanna.api.picture_models import NamedModel, named_models
from kanna.api.reading import StrPath
from kanna.errors import Incompatible, Incomplete
from kanna.infotext.editable import Editable
from kanna.model import Note

_DIALECTS: Final = frozenset({"a1111", "forge", "sdnext", "civitai"})
_KEYS: Final = {
    "checkpoint": "Model sha256", "diffusion_model": "Model sha256", "vae": "VAE sha256",
    "hypernetwork": "Hypernet sha256",
}  # fmt: skip
_LORAS: Final = "Lora sha256"

Extend: TypeAlias = Callable[[StrPath, StrPath | None, InfotextOptions], InfotextChange]


@contextmanager
def infotext_extender(options: LookOptions, *, by_name: bool = False) -> Iterator[Extend]:
    """Return the function that adds digests to a file's text; the library stays open for it.

    Only models that are certain count; with `by_name` also those of which nothing but the name
    was written and one file has just that name.

    Raises:
        Incomplete: there is no library, or the file says nothing, or names no model.
        Incompatible: the text is not in A1111's grammar.
        KannaError: a file cannot be read or written.
    """
    with matcher_for(options) as matcher:

        def extend(
            path: StrPath, destination: StrPath | None, change: InfotextOptions
        ) -> InfotextChange:
            found = read_infotext(path, stealth=change.stealth, encoding=change.encoding)
            if found.editable is None:
                raise Incomplete("infotext.nothing", path=found.path)
            if found.editable.info.dialect not in _DIALECTS:
                dialect = found.editable.info.dialect
                raise Incompatible("infotext_extend.dialect", path=found.path, dialect=dialect)
            models = [one for one in named_models(found.editable.info, matcher) if _counts(one)]
            notes: list[Note] = []
            pairs = _pairs(models, notes, by_name=by_name)
            texts = _with_pairs(found.editable, pairs, notes).texts()
            target = None if destination is None else Path(destination)
            return change_texts(found, texts, target, change, notes)

        yield extend


def _counts(model: NamedModel) -> bool:
    """Whether there is a key for such a model: those of later passes have none."""
    role, stage = model.reference.role, model.reference.stage
    return not stage and (role in _KEYS or role == "lora")


def _pairs(models: list[NamedModel], notes: list[Note], *, by_name: bool) -> dict[str, str]:
    """Return the pairs to be written; what cannot be is told in `notes`."""
    pairs: dict[str, str] = {}
    loras: list[str] = []
    for model in models:
        digest = _digest(model, notes, by_name=by_name)
        if digest is None:
            continue
        if model.reference.role == "lora":
            loras.append(f"{model.reference.name}: {digest}")
        else:
            pairs.setdefault(_KEYS[model.reference.role], digest)
    return pairs | ({_LORAS: ", ".join(loras)} if loras else {})


def _digest(model: NamedModel, notes: list[Note], *, by_name: bool) -> str | None:
    """Return the SHA-256 of the file that a model is, or say why there is none."""
    name = model.reference.name or model.reference.digest or ""
    match = model.match
    if match is None:
        notes.append(Note(f"infotext_extend.{model.state}", {"name": name}))
    elif model.state != "found" and not (by_name and model.state == "likely"):
        values = {"name": name, "path": match.path}
        notes.append(Note("infotext_extend.unsure", values))
    elif match.sha256 is None:
        notes.append(Note("infotext_extend.not_hashed", {"name": name, "path": match.path}))
    else:
        return match.sha256
    return None


def _with_pairs(editable: Editable, pairs: Mapping[str, str], notes: list[Note]) -> Editable:
    """Return the text with the pairs; what is there and says something else stays."""
    there = {pair.key: pair.value for pair in editable.info.parameters}
    for key, value in pairs.items():
        old = there.get(key)
        if old is not None and key != _LORAS and not value.startswith(old.lower()):
            notes.append(Note("infotext_extend.differs", {"key": key, "old": old, "new": value}))
        elif old != value:
            editable = editable.with_parameter(key, value)
            notes.append(Note("infotext_extend.added", {"key": key, "value": value}, warning=False))
    return editable
