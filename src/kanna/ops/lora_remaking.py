"""What the verbs that make LoRAs of LoRAs have in common: the factors, the report, the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event

from kanna.engine.meter import Meter
from kanna.engine.options import Progress
from kanna.lora.joining_loras import Sum
from kanna.lora.made import Made
from kanna.lora.modules import Module
from kanna.lora.retained import Retained, retained, worst
from kanna.lora.storing import troubles_told
from kanna.lora.writing import Spelled
from kanna.metadata import Metadata
from kanna.model import Note
from kanna.ops.merge_inputs import Opened
from kanna.plan import Output, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What new factors keep: `overall`, of each part, of the modules that lose most."""

    overall: Retained
    parts: tuple[Retained, ...]
    worst: tuple[Retained, ...]


def made_all(
    sums: Sequence[Sum], make: Callable[[Sum], Made],
    progress: Callable[[Progress], None] | None, cancel: Event | None,
) -> list[Made]:  # fmt: skip
    """Return what `make` makes of each of `sums`.

    Raises:
        Interrupted: Ctrl-C, or `cancel`.
        KannaError: whatever is wrong with a sum.
    """
    meter, made, done = Meter(sum(one.nbytes for one in sums), progress, cancel), [], 0
    with troubles_told(meter.total):
        for one in sums:
            made.append(make(one))
            done += one.nbytes
            meter.tick(done)
    return made


def kept_of(modules: Sequence[Module], made: Sequence[Made]) -> Kept:
    """Return what the new factors of `modules` keep."""
    return Kept(overall=retained("", made), parts=tuple(_by_part(modules, made)), worst=worst(made))


def _by_part(modules: Sequence[Module], made: Sequence[Made]) -> Iterator[Retained]:
    pairs = list(zip(modules, made, strict=True))
    for reach in dict.fromkeys(module.reach for module in modules):
        yield retained(reach.rstrip("._"), [one for module, one in pairs if module.reach == reach])


def plan_of(
    spelled: Spelled, inputs: Sequence[Opened], metadata: Metadata, notes: Sequence[Note]
) -> Plan:
    """Return the plan of a LoRA; fields that belong to its dialect stand above others."""
    return Plan(
        outputs=tuple(Output.of(tensor) for tensor in spelled.tensors.values()),
        container="safetensors", inputs=tuple(one.model for one in inputs),
        metadata={**metadata.fields, **spelled.metadata}, digest_fields=metadata.digest_fields,
        notes=(*notes, *metadata.notes),
    )  # fmt: skip
