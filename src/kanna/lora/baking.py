"""A LoRA over a model: what it adds to each of the model's weights, in any layout.

Sources: kohya-ss/sd-scripts networks/merge_lora.py; A1111 extensions-builtin/Lora/networks.py and
ComfyUI comfy/lora.py calculate_weight, which add one LoRA after the other, a DoRA as
``strength * (decomposed - weight)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from kanna.errors import Incompatible
from kanna.identity import Identity
from kanna.lora.deltas import adds_to_bias, adds_to_weight
from kanna.lora.modules import DIFFUSION
from kanna.lora.places import places_of
from kanna.lora.placing import Part, placed, span
from kanna.lora.reading import Contents, read
from kanna.lora.targets import Target, Targets, needs_of, targets
from kanna.merging.graph import Delta
from kanna.model import ModelFile, Note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baked:
    """What a LoRA adds, by the names of the model; `notes` say what of it has no place there."""

    deltas: Mapping[str, Delta]
    notes: tuple[Note, ...]


def deltas(
    lora: ModelFile, identity: Identity, lead: ModelFile, lead_identity: Identity,
    *, skip_unknown: bool = False,
) -> Mapping[str, Delta]:  # fmt: skip
    """Return what `lora` adds to the weights of `lead`, by their names.

    Raises:
        Incompatible: see `baked`.
        FormatError: a file does not hold what its header says.
    """
    return baked(lora, identity, lead, lead_identity, skip_unknown=skip_unknown).deltas


def baked(
    lora: ModelFile, identity: Identity, lead: ModelFile, lead_identity: Identity,
    *, skip_unknown: bool = False,
) -> Baked:  # fmt: skip
    """Return what `lora` adds to the weights of `lead`; nothing is computed before it is read.

    What is for a text encoder that the file lacks is left out, with a note. With `skip_unknown` so
    are tensors of no known kind, and layers that the model does not have.

    Raises:
        Incompatible: it is no LoRA, it was made for another architecture, it has tensors or layers
            that nobody knows, or a module does not fit its weight.
        FormatError: a file does not hold what its header says.
    """
    contents = read(lora, identity, skip_unknown=skip_unknown)
    _check_architecture(lora, identity, lead, lead_identity)
    found = targets(contents.modules, places_of(lead_identity), needs_of(lead_identity))
    if not found.found or (found.lost and not skip_unknown):
        raise _lost(lora, lead, found)
    changes = _changes(lead, found)
    return Baked(
        deltas={
            name: Delta(adds=partial(placed, parts=tuple(parts)), encoder=parts[0].encoder)
            for name, parts in changes.items()
        },
        notes=tuple(_notes(lora, found, contents)),
    )


def _check_architecture(
    lora: ModelFile, identity: Identity, lead: ModelFile, lead_identity: Identity
) -> None:
    if lead_identity.part(DIFFUSION) is None:  # a text encoder by itself is one of many models
        return
    ours = {lead_identity.architecture, *lead_identity.architecture_candidates} - {None}
    theirs = {identity.architecture, *identity.architecture_candidates} - {None}
    if ours and theirs and ours.isdisjoint(theirs):
        raise Incompatible(
            "lora.other_architecture", path=lora.path, made_for=", ".join(sorted(map(str, theirs))),
            model=lead.path, architecture=", ".join(sorted(map(str, ours))),
        )  # fmt: skip


def _lost(lora: ModelFile, lead: ModelFile, found: Targets) -> Incompatible:
    strays = found.lost or found.homeless
    total = len(found.found) + len(found.lost) + len(found.homeless)
    key = "lora.some_lost" if found.found else "lora.all_lost"
    return Incompatible(key, path=lora.path, model=lead.path, count=len(strays), total=total,
                        name=strays[0].name)  # fmt: skip


def _notes(lora: ModelFile, found: Targets, contents: Contents) -> Iterator[Note]:
    yield from contents.notes
    for key, names in (
        ("lora.part_absent", [module.name for module in found.homeless]),
        ("lora.layers_skipped", [module.name for module in found.lost]),
        ("lora.tensors_skipped", contents.strangers),
    ):
        if names:
            values = {"path": lora.path.name, "count": len(names), "name": names[0]}
            yield Note(key, values)


def _changes(lead: ModelFile, found: Targets) -> dict[str, list[Part]]:
    """Return the parts of each tensor that modules change, held against its shape.

    Raises:
        Incompatible: a module does not fit.
    """
    changes: dict[str, list[Part]] = {}
    for target in found.found:
        if adds_to_weight(target.module):
            _add(changes, lead, target, bias=False)
        if adds_to_bias(target.module):
            _add(changes, lead, target, bias=True)
    return changes


def _add(
    changes: dict[str, list[Part]], lead: ModelFile, target: Target, *, bias: bool
) -> None:  # fmt: skip
    slots = target.biases if bias else target.weights
    if not slots:
        raise Incompatible("lora.no_bias", name=target.module.name)
    spans = [span(lead[slot.tensor], slot.rows, slot) for slot in slots]
    total = sum(stop - start for start, stop in spans)
    for slot, here in zip(slots, spans, strict=True):
        part = Part(
            module=target.module, rows=here, of=slot.of, total=total, turned=slot.turned, bias=bias,
            encoder=target.word != DIFFUSION,
        )  # fmt: skip
        part.check(lead[slot.tensor])
        changes.setdefault(slot.tensor, []).append(part)
