"""`kanna join` as a plan: parts put together to one file, each where its readers look for it.

::

    Offer           one part that an input brings, and where it stood (`joining`)
      └ Choice      one of each kind that fits the others (`choosing`)
         └ Seating  under which prefix, in which layout and order (`seating`)
            ├ recognised, where records tell that: they may lie (`recognition`)
            └ Plan  the tensors, cast by role (`casting`), and what the model says of itself
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from kanna.errors import Incompatible, Incomplete, UsageError
from kanna.families import family, title
from kanna.families.places import UIS, Place, folders, places
from kanna.identity import Identity
from kanna.metadata import extended
from kanna.model import ModelFile, Note
from kanna.ops import gguf
from kanna.ops.casting import Precision, fixed_tensors, outputs_of
from kanna.ops.choosing import Choice, choose, title_of
from kanna.ops.dequantise import decoded_for, refuse_blocks
from kanna.ops.diffusers_record import MADE
from kanna.ops.joining import offers
from kanna.ops.part_record import RECORD
from kanna.ops.quantized_layers import moved, together
from kanna.ops.recognition import all_recognised
from kanna.ops.seating import Placed, Seating
from kanna.plan import Output, Plan, WriteContainer
from kanna.quantizing.comfy import QUANTIZATION_METADATA


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinOptions:
    """What is wanted of the file.

    `program` is the one that it is made for; None puts parts that were cut out of one file back
    where they stood, and all others where every program looks for them. `architecture` settles what
    the diffusion model is where its header leaves that open. With `allow_missing` the file may
    lack parts. `dtype` and `dtypes` are as those of `ConvertOptions`. Without `digest` no SHA-256
    of the data is computed.
    """

    program: str | None = None
    architecture: str | None = None
    allow_missing: bool = False
    container: WriteContainer | None = None
    dtype: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """One part in the file to be: what it is, the input it comes from, where it stands there.

    `nbytes` are those that it will have there.
    """

    word: str
    role: str
    title: str
    source: ModelFile
    prefix: str
    tensors: int
    nbytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPlan:
    """The plan of the file, its parts in order, and the words of those that it will lack."""

    plan: Plan
    architecture: str
    parts: tuple[Seated, ...]
    missing: tuple[str, ...]


def join(inputs: Sequence[tuple[ModelFile, Identity]], options: JoinOptions) -> JoinPlan:
    """Return the plan that puts `inputs` together.

    Raises:
        UsageError: an option makes no sense.
        Incomplete: parts that the model needs are missing, or one of them lacks tensors.
        Incompatible: parts do not fit together, or one cannot be brought where it belongs.
        UnknownModel: nothing is known of files with such a model in them.
        MissingExtra: it takes the ``gguf`` package to decode a part.
    """
    if options.container == "gguf":
        raise UsageError("join.no_gguf")
    precision = Precision(options.dtype, options.dtypes)
    read = [decoded_for(model, identity, precision) for model, identity in inputs]
    seating, placed, doubts = _arranged([(model, identity) for model, identity, _ in read], options)
    choice = seating.choice
    outputs = _ordered(placed, precision, seating.ranks())
    told = {(id(model), role): note for model, _, by in read for role, note in by.items()}
    choice = replace(choice, notes=(*_told(choice, told), *choice.notes, *doubts))
    plan = _plan([model for model, _, _ in read], choice, placed, outputs, precision, options)
    made = {output.name: output.nbytes for output in outputs}
    parts = tuple(_seated(one, made) for one in placed)
    return JoinPlan(
        plan=plan, architecture=choice.architecture, parts=parts, missing=choice.lacking
    )


def _told(choice: Choice, notes: Mapping[tuple[int, str], Note]) -> list[Note]:
    """Return the notes on what was decoded of the parts that are taken, by input and role."""
    at = dict.fromkeys((id(offer.model), offer.role) for offer in choice.taken)
    return [notes[place] for place in at if place in notes]


def _arranged(
    inputs: Sequence[tuple[ModelFile, Identity]], options: JoinOptions
) -> tuple[Seating, list[Placed], list[Note]]:
    """Return the parts in their places: as records tell, unless that makes no model."""
    seating = Seating(_choice(inputs, options, believe=True), options.program)
    placed = seating.placed()
    if not any(one.offer.recorded for one in placed) or all_recognised(placed):
        return seating, placed, list(_on_places(seating.choice, placed))
    seating = Seating(_choice(inputs, options, believe=False), options.program)
    return seating, seating.placed(), [Note("join.records_wrong")]


def _choice(
    inputs: Iterable[tuple[ModelFile, Identity]], options: JoinOptions, *, believe: bool
) -> Choice:
    """Return the parts that go in; without `believe` no record counts."""
    offered = [offer for one in inputs for offer in offers(*one, believe=believe)]
    choice = choose(offered, options.architecture)
    _check_program(choice, options.program)
    if choice.missing and not options.allow_missing:
        raise _incomplete(choice)
    for offer in choice.taken:
        refuse_blocks(offer.model, offer.tensors)
    return choice


def _on_places(choice: Choice, placed: Iterable[Placed]) -> Iterator[Note]:
    """Yield a note for every part that a record leads to where no program looks for it."""
    for one in placed:
        seat = choice.arrangement.seat(one.offer.word, one.offer.role)
        if not one.offer.recorded or seat is None:
            continue
        if one.prefix != seat.prefix or (seat.layouts and one.layout not in seat.layouts):
            layout, prefix = one.layout or "-", one.prefix or "-"
            told = {"part": title_of(one.offer), "prefix": prefix, "layout": layout}
            yield Note("join.back_to", told, warning=False)


def _check_program(choice: Choice, program: str | None) -> None:
    known = choice.arrangement.programs
    if program is not None and program not in known:
        raise Incompatible(
            "join.program_cannot", path=choice.lead.model.path, program=UIS[program],
            architecture=title(choice.architecture),
            programs=", ".join(UIS[word] for word in known) or "-",
        )  # fmt: skip


def _incomplete(choice: Choice) -> Incomplete:
    lacking = "; ".join(_file_of(word, choice.architecture) for word in choice.missing)
    return Incomplete("join.missing", path=choice.lead.model.path, parts=lacking,
                      architecture=choice.architecture)  # fmt: skip


def _file_of(word: str, architecture: str) -> str:
    """Return the name of a part, and that of the file that people get it in."""
    place = _place_of(word, architecture)
    if place is None:
        return word
    return f"{place.title} ({place.files[0]})" if place.files else place.title


def lacking(word: str, architecture: str) -> Note:
    """Return the note that says which part a model of `architecture` needs, and where it is."""
    place = _place_of(word, architecture)
    if place is None or not place.files:
        return Note("join.lacks", {"part": place.title if place else word})
    folder = folders(place.role).get("comfyui", "-")
    told = {"part": place.title, "file": place.files[0], "where": place.repository or "-"}
    return Note("join.lacks_file", {**told, "folder": folder})


def _place_of(word: str, architecture: str) -> Place | None:
    known = family(architecture)
    return next(iter(places(word, known.vae if known else None)), None)


def _ordered(
    placed: Iterable[Placed], precision: Precision, ranks: Mapping[str, int]
) -> list[Output]:
    """Return all outputs: what stood in the leading file first, in its order.

    Raises:
        Incompatible: two parts have a tensor of one name, or a quantised one would have to be cast.
    """
    made: dict[str, Output] = {}
    for one in placed:
        offer = one.offer
        if offer.part is not None:
            precision.check(offer.part, offer.role, offer.model)
        fixed = fixed_tensors(offer.model, offer.identity)
        for output in outputs_of(one.tensors, precision.of(offer.role), fixed):
            if output.name in made:
                raise Incompatible("layout.twice", path=offer.model.path, name=output.name)
            made[output.name] = output
    return sorted(made.values(), key=lambda output: ranks.get(output.name, len(ranks)))


def _plan(
    inputs: Sequence[ModelFile],
    choice: Choice,
    placed: Sequence[Placed],
    outputs: Iterable[Output],
    precision: Precision,
    options: JoinOptions,
) -> Plan:
    metadata = extended(_metadata(choice, placed), _step(placed, precision), digest=options.digest)
    own = [note for model in inputs for note in model.notes]
    lacks = [lacking(word, choice.architecture) for word in choice.lacking]
    return Plan(
        outputs=tuple(outputs),
        container=options.container or "safetensors",
        inputs=tuple(inputs),
        metadata=metadata.fields,
        digest_fields=metadata.digest_fields,
        notes=(*own, *choice.notes, *lacks, *metadata.notes),
    )


def _metadata(choice: Choice, placed: Iterable[Placed]) -> dict[str, str]:
    """Return what the diffusion model says of itself, and which layers are quantised."""
    own = gguf.own_fields(choice.lead.metadata)
    kept = {
        key: text for key, text in own.items() if key not in {RECORD, MADE, QUANTIZATION_METADATA}
    }
    layers = [moved(one.offer.metadata, one.offer.file_prefix, one.prefix) for one in placed]
    return kept | together(layers)


def _step(placed: Iterable[Placed], precision: Precision) -> dict[str, object]:
    parts = [{"part": one.offer.word, "input": one.offer.model.path.name} for one in placed]
    cast = precision.to_json()
    return {"verb": "join", "inputs": parts, **({"dtype": cast} if cast else {})}


def _seated(placed: Placed, sizes: Mapping[str, int]) -> Seated:
    offer = placed.offer
    return Seated(
        word=offer.word, role=offer.role, title=title_of(offer), source=offer.model,
        prefix=placed.prefix, tensors=len(placed.tensors),
        nbytes=sum(sizes[name] for name in placed.tensors),
    )  # fmt: skip
