"""The full digests of the models of a picture, added to its text: sd_infotext_ex's idea.

That extension writes ``Model sha256``, ``VAE sha256`` and ``Hypernet sha256``; ``Lora sha256`` is
spelled as A1111 spells ``Lora hashes``. Readers that do not know them keep them.
Source: aka7774/sd_infotext_ex, scripts/sd_infotext_ex.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from kanna.api.infotext_changing import change_texts
from kanna.api.infotext_reading import read_infotext
from kanna.api.infotext_values import InfotextChange, InfotextOptions
from kanna.api.looking_up import LookOptions, matcher_for
from kanna.api.picture_models import NamedModel, named_models
from kanna.api.reading import StrPath
from kanna.catalog.matching import Match
from kanna.errors import Incompatible, Incomplete
from kanna.infotext.a1111_lists import hash_list, listed_hashes, name_in_list
from kanna.infotext.a1111_writing import OWN
from kanna.infotext.editable import Editable
from kanna.model import Note

_KEYS: Final = {
    "checkpoint": "Model sha256", "diffusion_model": "Model sha256", "vae": "VAE sha256",
    "hypernetwork": "Hypernet sha256",
}  # fmt: skip
_LORAS: Final = "Lora sha256"

Extend: TypeAlias = Callable[[StrPath, StrPath | None, InfotextOptions], InfotextChange]


@contextmanager
def infotext_extender(options: LookOptions, *, by_name: bool = False) -> Iterator[Extend]:
    """Return the function that adds digests to a file's text; the library stays open for it.

    Only models that are certain count; with `by_name` also those that have just the name, where
    no other file has it.

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
            if found.editable.info.dialect not in OWN:
                dialect = found.editable.info.dialect
                raise Incompatible("infotext_extend.dialect", path=found.path, dialect=dialect)
            models = [one for one in named_models(found.editable.info, matcher) if _counts(one)]
            notes: list[Note] = []
            digests = _digests(models, notes, by_name=by_name)
            texts = _with_digests(found.editable, digests, notes).texts()
            target = None if destination is None else Path(destination)
            return change_texts(found, texts, target, change, notes)

        yield extend


def _counts(model: NamedModel) -> bool:
    """Whether there is a key for such a model: those of later passes have none."""
    role, stage = model.reference.role, model.reference.stage
    return not stage and (role in _KEYS or role == "lora")


def _digests(
    models: Iterable[NamedModel], notes: list[Note], *, by_name: bool
) -> dict[tuple[str, str], str]:
    """Return the digests to be written, by key and, of LoRAs, by name; tell what has none."""
    found: dict[tuple[str, str], str] = {}
    for model in models:
        match = _sure(model, notes, by_name=by_name)
        if match is None or match.sha256 is None:
            continue
        said = model.reference
        name = name_in_list(said.name or match.path.name) if said.role == "lora" else ""
        found.setdefault((_KEYS.get(said.role, _LORAS), name), match.sha256)
    return found


def _sure(model: NamedModel, notes: list[Note], *, by_name: bool) -> Match | None:
    """Return the file that a model is for sure, or say why there is none."""
    name = model.reference.name or model.reference.digest or ""
    match = model.match
    if match is None:
        notes.append(Note(f"infotext_extend.{model.state}", {"name": name}))
        return None
    has_name = model.state == "likely" and match.named
    if model.state != "found" and not (by_name and has_name):
        key = "infotext_extend.only_named" if has_name else "infotext_extend.unsure"
        reason = Note(f"which.by_{match.meaning}")
        notes.append(Note(key, {"name": name, "path": match.path, "reason": reason}))
        return None
    if match.sha256 is None:
        notes.append(Note("infotext_extend.not_hashed", {"name": name, "path": match.path}))
    return match


def _with_digests(
    editable: Editable, digests: Mapping[tuple[str, str], str], notes: list[Note]
) -> Editable:
    """Return the text with the digests; what is there and says something else stays."""
    there = {pair.key: pair.value for pair in editable.info.parameters}
    loras = listed_hashes(there.get(_LORAS, ""))
    for (key, name), digest in digests.items():
        old = loras.get(name) if name else there.get(key)
        if old and not digest.startswith(old.lower()):
            notes.append(Note("infotext_extend.differs", {"key": key, "old": old, "new": digest}))
        elif old != digest:
            loras |= {name: digest} if name else {}
            value = hash_list(loras) if name else digest
            editable = editable.with_parameter(key, value)
            shown = hash_list({name: digest}) if name else digest
            notes.append(Note("infotext_extend.added", {"key": key, "value": shown}, warning=False))
    return editable
