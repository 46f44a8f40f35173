"""Identity: what a model file is, as plain values; `kanna.identify` fills them.

Sentences for people (`evidence`, `why`) are `Note`s, so that they read in the language in force
when they are shown. `Identity.to_json` gives the identity document; its keys never change. The
values know no ``==``: nobody compares them, and making it would cost time at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from kanna.messages import say
from kanna.model import Note

if TYPE_CHECKING:
    from kanna.adapter import Adapter  # few files are adapters: the others need not pay for it

Certainty = Literal["certain", "likely", "ambiguous", "unknown"]
IdState = Literal["ok", "damaged", "absent", "float", "unread"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One model inside the file: a diffusion model, a text encoder, a VAE, an adapter.

    `names` are its tensors in file order, with `prefix` still on; `missing` are full names too, and
    `misshapen` those whose shape is not the table's.
    `unexpected` names stand under its prefix and are in no table; they are among `names`.
    `dtypes` is bytes by dtype word. `complete` is None where no key list is known. `quantization`
    names the scheme; `scaled` says that its numbers mean nothing without their scales. `component`
    is the row of the tables that recognised it.
    """

    role: str
    architecture: str | None
    prefix: str
    names: tuple[str, ...]
    parameters: int
    bytes: int
    dtypes: Mapping[str, int]
    complete: bool | None
    missing: tuple[str, ...] = ()
    misshapen: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    variant: str | None = None
    variant_candidates: tuple[str, ...] = ()
    architecture_candidates: tuple[str, ...] = ()
    layout: str | None = None
    dtype: str | None = None
    quantization: str | None = None
    scaled: bool = False
    component: str = ""
    adapter: Adapter | None = None

    @property
    def tensors(self) -> int:
        """The number of its tensors."""
        return len(self.names)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ema:
    """The averaged copy of the diffusion model that training keeps.

    `pairs` maps each model tensor's name to its EMA tensor's; `missing` are model names that have
    no EMA tensor, `extra` the names that belong to the set without being a weight (decay, count),
    `unmatched` those under the prefix that match no model tensor.
    """

    present: bool = False
    complete: bool | None = None
    bytes: int = 0
    equal_to_model: bool | None = None
    prefix: str = ""
    pairs: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PositionIdKey:
    """One position-id tensor: its values as read, what loaders make of them, which are wrong.

    `loaded` is what a loader truncates each value to, or None where no integer comes of it: NaN,
    Inf, beyond int64. `wrong` are the indices where that is not the index itself. A tensor that
    was not read, or not of numbers, has the state ``unread`` and no values.
    """

    name: str
    dtype: str
    state: IdState
    values: tuple[float, ...] | tuple[int, ...] = ()
    loaded: tuple[int | None, ...] = ()
    wrong: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PositionIds:
    """All position ids of the file; `state` is that of the worst tensor.

    The identity document has null for ``unread``: absent knowledge.
    """

    state: IdState = "absent"
    keys: tuple[PositionIdKey, ...] = ()

    @property
    def wrong(self) -> tuple[int, ...]:
        """The wrong indices of all tensors, each once, in order."""
        return tuple(sorted({index for key in self.keys for index in key.wrong}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JunkGroup:
    """Tensors that are known to be of no use in a finished model.

    `safe_without` names the programs that load the file without them; `prune` is whether pruning
    takes them by default. `standard` is the noise schedule that a tensor must hold to be junk.
    """

    group: str
    names: tuple[str, ...]
    bytes: int
    prune: bool = True
    safe_without: tuple[str, ...] = ()
    standard: Mapping[str, float] | None = None

    @property
    def tensors(self) -> int:
        """The number of its tensors."""
        return len(self.names)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What the diffusion model predicts (epsilon, v, flow …), and how that is known."""

    type: str
    certainty: Certainty
    why: Note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Published:
    """What a list of published models says of the file that has the very same hash.

    None where the list leaves it open.
    """

    name: str
    architecture: str | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certainties:
    """How sure each of three answers is: what a file is, of which architecture, which variant."""

    kind: Certainty = "unknown"
    architecture: Certainty = "unknown"
    variant: Certainty = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identity:
    """What a model file is. Absent knowledge is None, never a guess.

    `needs` are words of the parts that the architecture needs: a role such as ``vae``, or a text
    encoder's variant (``clip-l``, ``t5xxl``). `unrecognised` names are kept by every verb.
    `findings` is None where nothing was checked. `hashes` are digests by name, None for a file that
    was never hashed; `vae_identity` names the published VAE inside, where that is known by content.
    """

    path: str
    size: int
    container: str
    kind: str
    architecture: str | None
    certainty: Certainty
    variant: str | None = None
    variant_candidates: tuple[str, ...] = ()
    architecture_candidates: tuple[str, ...] = ()
    layout: str | None = None
    prediction: Prediction | None = None
    dtype: str | None = None
    quantization: str | None = None
    parts: tuple[Part, ...] = ()
    ema: Ema = field(default_factory=Ema)
    position_ids: PositionIds = field(default_factory=PositionIds)
    junk: tuple[JunkGroup, ...] = ()
    unrecognised: tuple[str, ...] = ()
    needs: tuple[str, ...] | None = None
    markers: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[Note, ...] = ()
    findings: tuple[str, ...] | None = None
    tasks: tuple[str, ...] = ()
    resolution: int | None = None
    hashes: Mapping[str, object] | None = None
    vae_identity: str | None = None
    certainties: Certainties = field(default_factory=Certainties)

    @property
    def missing_parts(self) -> tuple[str, ...]:
        """The words of `needs` that no part answers, as far as that is known."""
        there = {word for part in self.parts for word in (part.role, *part.variant_candidates)}
        return tuple(word for word in self.needs or () if word not in there)

    def part(self, role: str) -> Part | None:
        """Return the first part with `role`, or None."""
        return next((part for part in self.parts if part.role == role), None)

    def to_json(self) -> dict[str, object]:
        """Return the identity document, ready for `json.dumps`."""
        return {
            "path": self.path,
            "size": self.size,
            "container": self.container,
            "kind": self.kind,
            "architecture": self.architecture,
            "variant": self.variant,
            "variant_candidates": list(self.variant_candidates),
            "certainty": self.certainty,
            "layout": self.layout,
            "prediction": _prediction_json(self.prediction),
            "dtype": self.dtype,
            "quantization": self.quantization,
            "parts": [_part_json(part) for part in self.parts],
            "ema": _ema_json(self.ema),
            "vae": {"present": self.part("vae") is not None, "identity": self.vae_identity},
            "position_ids": {
                "state": None if self.position_ids.state == "unread" else self.position_ids.state,
                "wrong": list(self.position_ids.wrong),
            },
            "junk": [_junk_json(group) for group in self.junk],
            "unrecognised": list(self.unrecognised),
            "missing_parts": None if self.needs is None else list(self.missing_parts),
            "markers": list(self.markers),
            "metadata": dict(self.metadata),
            "evidence": [said(note) for note in self.evidence],
            "findings": None if self.findings is None else list(self.findings),
            "architecture_candidates": list(self.architecture_candidates),
            "tasks": list(self.tasks),
            "resolution": self.resolution,
            "hashes": None if self.hashes is None else dict(self.hashes),
            "certainties": {
                "kind": self.certainties.kind,
                "architecture": self.certainties.architecture,
                "variant": self.certainties.variant,
            },
        }


def said(note: Note) -> str:
    """Return the sentence of `note` in the language in force; its values may be notes too."""
    values = {
        name: said(value) if isinstance(value, Note) else value
        for name, value in note.values.items()
    }
    return say(note.key, **values)


def _prediction_json(prediction: Prediction | None) -> dict[str, object] | None:
    if prediction is None:
        return None
    return {
        "type": prediction.type,
        "certainty": prediction.certainty,
        "why": said(prediction.why),
    }


def _part_json(part: Part) -> dict[str, object]:
    return {
        "role": part.role,
        "architecture": part.architecture,
        "prefix": part.prefix,
        "tensors": part.tensors,
        "parameters": part.parameters,
        "bytes": part.bytes,
        "dtypes": dict(part.dtypes),
        "complete": part.complete,
        "missing": list(part.missing),
        "unexpected": list(part.unexpected),
        "misshapen": list(part.misshapen),
        "variant": part.variant,
        "variant_candidates": list(part.variant_candidates),
        "architecture_candidates": list(part.architecture_candidates),
        "layout": part.layout,
        "dtype": part.dtype,
        "quantization": part.quantization,
        "adapter": None if part.adapter is None else part.adapter.to_json(),
    }


def _ema_json(ema: Ema) -> dict[str, object]:
    return {
        "present": ema.present,
        "complete": ema.complete,
        "bytes": ema.bytes,
        "equal_to_model": ema.equal_to_model,
        "tensors": len(ema.pairs),
        "missing": list(ema.missing),
    }


def _junk_json(group: JunkGroup) -> dict[str, object]:
    return {
        "group": group.group,
        "tensors": group.tensors,
        "bytes": group.bytes,
        "prune": group.prune,
        "safe_without": list(group.safe_without),
    }
