"""From what was found to parts: whose tensor each name is, and what each part is made of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from kanna.families import component, family, tables
from kanna.families.keys import numel_of
from kanna.identify.beside import Beside
from kanna.identify.choose import Names
from kanna.identify.quantization import scheme_of
from kanna.identify.recognise import Found
from kanna.identity import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanna.adapter import Adapter
    from kanna.families import Choice, Component
    from kanna.families.keys import Shape
    from kanna.identity import Ema
    from kanna.model import ModelFile, TensorInfo


# More tensors than this are a model of some kind, not a collection of embeddings.
_MANY_VECTORS: Final = 256
_LONGEST: Final = 1024


@dataclass(slots=True, eq=False)
class Owned:
    """The tensors of one part: all of them, and those that no table explains."""

    names: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Division:
    """Every name of the file, given to the part it belongs to; no table knows `unrecognised`."""

    owned: list[Owned]
    owners: dict[str, int] = field(default_factory=dict)
    unrecognised: list[str] = field(default_factory=list)


def divide(names: Iterable[str], found: list[Found], beside: Beside) -> Division:
    """Give every name to a part: by key list, else by the longest prefix it stands under."""
    listed = {name: at for at, one in enumerate(found) for name in one.known}
    prefixes = sorted(
        ((one.prefix, at) for at, one in enumerate(found) if not one.row.tails),
        key=lambda pair: -len(pair[0]),
    )
    lone = {*beside.ema, *(name for group in beside.junk.values() for name in group)}
    division = Division([Owned() for _ in found])
    for name in names:
        at = listed.get(name)
        if at is None and name not in lone:
            at = next((at for prefix, at in prefixes if name.startswith(prefix)), None)
        if at is not None:
            division.owners[name] = at
            division.owned[at].names.append(name)
        if name in listed or name in lone or name in beside.scales or name in beside.markers:
            continue
        if at is None or found[at].listed:
            division.unrecognised.append(name)
        if at is not None and found[at].listed:
            division.owned[at].unexpected.append(name)
    return division


def part_of(found: Found, owned: Owned, model: ModelFile, names: Names, beside: Beside) -> Part:
    """Return the part that `found` is, with its sizes and dtypes."""
    by_dtype, dtype = _dtypes([model[name] for name in owned.names])
    adapter, candidates = _adapter(found, names)
    row = names.choose(found.row.variant_choices, found.prefix)
    quantization, scaled = scheme_of(owned.names, beside, dtype, by_dtype)
    variants = row.names if row else found.row.variants
    return Part(
        role=found.row.role,
        architecture=candidates[0] if len(candidates) == 1 else None,
        architecture_candidates=candidates,
        variant=variants[0] if len(variants) == 1 else None,
        variant_candidates=variants,
        prefix=found.prefix,
        names=tuple(owned.names),
        parameters=sum(
            numel_of(names.shapes[name]) for name in owned.names if name not in beside.scales
        ),
        bytes=sum(by_dtype.values()),
        dtypes=by_dtype,
        dtype=dtype,
        complete=found.complete if found.listed else None,
        missing=tuple(found.missing),
        misshapen=tuple(found.misshapen),
        unexpected=tuple(owned.unexpected),
        layout=found.row.layout,
        quantization=quantization,
        scaled=scaled,
        component=found.row.id,
        adapter=adapter,
    )


def _adapter(found: Found, names: Names) -> tuple[Adapter | None, tuple[str, ...]]:
    """Return what an adapter is made of, and the base models that any part may be of."""
    if found.row.role not in tables()["everywhere"]["adapters"]:
        return None, _architectures(found, names)
    from kanna.identify.adapter import describe  # few files are adapters

    adapter, vote = describe(found, names.shapes)
    return adapter, vote.architectures if found.row.by_layers else _architectures(found, names)


def absent_part(row: Component, ema: Ema) -> Part:
    """Return the diffusion model of a file that has only its averaged copy."""
    names = (*ema.pairs, *ema.missing)
    return Part(
        role=row.role,
        architecture=row.architecture,
        architecture_candidates=(row.architecture,) if row.architecture else (),
        variant_candidates=row.variants,
        prefix=names[0].removesuffix(next(iter(row.required))),
        names=(),
        parameters=0,
        bytes=0,
        dtypes={},
        complete=False,
        missing=names,
        layout=row.layout,
        component=row.id,
    )


def lone_embedding(model: ModelFile, names: Names) -> Part | None:
    """Return an embedding where the file is nothing but a few vectors of a text encoder's width."""
    shapes = names.shapes
    for number, raw in enumerate(tables()["components"]):
        widths = raw.get("widths")
        if widths and 0 < len(shapes) <= _MANY_VECTORS and _vectors(shapes.values(), widths):
            found = Found(number=number, row=component(number), prefix="", known=list(shapes))
            part = part_of(found, Owned(names=list(shapes)), model, names, Beside())
            word = widths[str(next(iter(shapes.values()))[-1])]
            return replace(part, architecture=word, architecture_candidates=(word,))
    return None


def _vectors(shapes: Iterable[Shape], widths: Mapping[str, str]) -> bool:
    """Whether all are a few vectors of one text encoder's width."""
    return all(
        len(shape) in {1, 2} and str(shape[-1]) in widths and shape[0] <= _LONGEST
        for shape in shapes
    )


def variant_rows(part: Part, names: Names, layout: str | None) -> list[Choice]:
    """Return the row of the family's variants that the part is, and those it could be as well.

    There is more than one only where a tensor that would tell is missing.
    """
    known = family(part.architecture) if part.architecture else None
    if known is None:
        return []
    return names.open_rows(known.variants, part.prefix, layout, frozenset(part.missing))


def _architectures(found: Found, names: Names) -> tuple[str, ...]:
    """All base models that the part may be of, the likeliest row's first."""
    row = found.row
    if row.architecture_choices:
        if row.tails:
            own = {name: names.shapes[name] for name in found.known}
            names = Names(own)
        choice = names.choose(row.architecture_choices, found.prefix)
        return choice.names if choice else ()
    every = (word for one in (found, *found.rivals) for word in _words(one))
    return tuple(dict.fromkeys(every))


def _words(found: Found) -> tuple[str, ...]:
    row = found.row
    return row.architectures or ((row.architecture,) if row.architecture else ())


def _dtypes(tensors: Iterable[TensorInfo]) -> tuple[dict[str, int], str | None]:
    """Bytes by dtype word, and the word of most bytes among what is no vector."""
    every: defaultdict[str, int] = defaultdict(int)
    large: defaultdict[str, int] = defaultdict(int)
    for tensor in tensors:
        nbytes = tensor.nbytes
        every[tensor.dtype.word] += nbytes
        if len(tensor.shape) > 1:
            large[tensor.dtype.word] += nbytes
    main = large or every
    return dict(every), max(main, key=lambda word: main[word], default=None)
