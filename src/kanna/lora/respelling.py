"""Modules under the names of another layout: renamed, joined where layers are one, cut apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from kanna.errors import Incompatible
from kanna.lora.factors import blocks, diagonal, same, stacked
from kanna.lora.modules import Module
from kanna.lora.places import WHOLE, Slot, stem_of
from kanna.lora.references import Reference
from kanna.model import TensorInfo
from kanna.views import joined, rows

_PLAIN = frozenset({"up", "down", "magnitude"})


def respelled(modules: Sequence[Module], reference: Reference) -> list[Module]:
    """Return `modules` of one part under the names of the layers that `reference` has.

    Raises:
        Incompatible: it lacks a layer, or a module cannot be joined or cut apart.
        FormatError: a file does not hold what its header says.
    """
    layout = reference.place.layout_of(modules)
    made: list[Module] = []
    pieces: dict[str, list[tuple[Slot, Module]]] = {}
    for module in modules:
        slots = reference.place.find(module, layout) or reference.place.find_bias(module, layout)
        if not slots:
            raise Incompatible("lora.no_such_layer", name=module.name)
        if len(slots) == 1 and slots[0].rows == slots[0].of == WHOLE and not slots[0].turned:
            made.append(replace(module, path=stem_of(slots[0].tensor)))
            continue
        _refuse_unless_plain(module, slots)
        for slot, part in zip(slots, _cut(module, slots), strict=True):
            pieces.setdefault(slot.tensor, []).append((slot, part))
    made += [_joined(stem_of(tensor), parts) for tensor, parts in pieces.items()]
    return made


def _refuse_unless_plain(module: Module, slots: Sequence[Slot]) -> None:
    ups = [module.pieces[word].shape for word in ("up", "down") if word in module.pieces]
    small = all(prod(shape[2:]) == 1 for shape in ups)
    turned = any(slot.turned for slot in slots)
    by_input = "magnitude" in module.pieces and not by_output(module)
    if turned or by_input or not small or not module.pieces.keys() <= _PLAIN:
        raise Incompatible("lora.cannot_regroup", name=module.name, kind=module.kind)


def by_output(module: Module) -> bool:
    """Whether there is a magnitude for each output of the layer, not for each input."""
    shape = module.pieces["magnitude"].shape
    return module.pieces["up"].shape[0] == prod(shape) and (len(shape) < 2 or shape[0] != 1
                                                            or len(shape) == 4)  # fmt: skip


def _cut(module: Module, slots: Sequence[Slot]) -> Iterator[Module]:
    """Yield the module as rows of it for each slot, each with what it needs of the factors."""
    if len(slots) == 1:
        yield module
        return
    up, down = module.pieces["up"], module.pieces["down"]
    spans = [_span(up.shape[0], slot, module) for slot in slots]
    apart = None
    if len({slot.tensor for slot in slots}) == len(slots):
        apart = blocks(up, [stop - start for start, stop in spans])
    for at, (start, stop) in enumerate(spans):
        found = dict(module.pieces)
        found["up"] = rows(up, start, stop)
        if "magnitude" in found:
            found["magnitude"] = rows(_upright(found["magnitude"]), start, stop)
        if apart is None:
            yield replace(module, pieces=found)
            continue
        rank = apart[at].shape[1]
        found["up"], found["down"] = apart[at], rows(down, at * rank, (at + 1) * rank)
        alpha = None if module.alpha is None else module.scale * rank
        yield replace(module, pieces=found, alpha=alpha, rank=rank, stored_alpha=None)


def _span(height: int, slot: Slot, module: Module) -> tuple[int, int]:
    begin, end, total = slot.of
    if height % total:
        raise Incompatible("lora.cannot_regroup", name=module.name, kind=module.kind)
    return begin * height // total, end * height // total


def _joined(path: str, parts: Sequence[tuple[Slot, Module]]) -> Module:
    """Return the modules of some rows of a layer, in their order there, as one."""
    parts = sorted(parts, key=lambda pair: pair[0].rows)
    first = parts[0][1]
    if len(parts) == 1 and parts[0][0].rows == WHOLE:
        return replace(first, path=path)
    try:
        return _fused(path, parts, first)
    except ValueError as error:
        raise Incompatible("lora.cannot_regroup", name=first.name, kind=first.kind) from error


def _fused(path: str, parts: Sequence[tuple[Slot, Module]], first: Module) -> Module:
    """Put modules together.

    Raises:
        ValueError: they do not go together.
    """
    heights, ups, magnitudes = _laid_out(parts)
    modules = [module for _, module in parts]
    downs = [module.pieces["down"] for module in modules]
    if any(one.scale != first.scale for one in modules):
        raise ValueError("scales")
    found: dict[str, TensorInfo] = {}
    if first.decomposed:
        found["magnitude"] = stacked(magnitudes, heights)
    if same(downs):
        found |= {"up": stacked(ups, heights), "down": downs[0]}
        return replace(first, path=path, pieces=found)
    starts = [sum(heights[:at]) for at, up in enumerate(ups) if up is not None]
    found["up"] = diagonal([up for up in ups if up is not None], starts, sum(heights))
    found["down"] = joined(downs)
    rank = found["down"].shape[0]
    alphas = {module.alpha is None for module in modules}
    alpha = None if alphas == {True} else first.scale * rank
    return replace(first, path=path, pieces=found, alpha=alpha, rank=rank, stored_alpha=None)


def _laid_out(
    parts: Sequence[tuple[Slot, Module]],
) -> tuple[list[int], list[TensorInfo | None], list[TensorInfo | None]]:
    """Return the rows of a layer from top to bottom: heights, ups and magnitudes; None for a gap.

    Raises:
        ValueError: modules overlap or do not fit, or one of several that are DoRAs is missing.
    """
    heights: list[int] = []
    ups: list[TensorInfo | None] = []
    magnitudes: list[TensorInfo | None] = []
    done, unit = 0, 0
    last = parts[-1][0].rows
    for slot, module in parts:
        begin, end, total = slot.rows
        up = module.pieces["up"]
        unit = unit or up.shape[0] // (end - begin)
        if begin < done or up.shape[0] != unit * (end - begin) or total != last[2]:
            raise ValueError(slot)
        if begin > done:
            heights.append(unit * (begin - done))
            ups.append(None)
            magnitudes.append(None)
        heights.append(up.shape[0])
        ups.append(up)
        magnitudes.append(_upright(module.pieces["magnitude"]) if module.decomposed else None)
        done = end
    if done < last[2]:
        heights.append(unit * (last[2] - done))
        ups.append(None)
        magnitudes.append(None)
    decomposed = {one is not None for one in magnitudes}
    if len(decomposed) > 1:
        raise ValueError("magnitudes")
    return heights, ups, magnitudes


def _upright(magnitude: TensorInfo) -> TensorInfo:
    """Return the magnitudes of outputs as a vector of rows."""
    return TensorInfo(magnitude.name, magnitude.dtype, (magnitude.numel,), magnitude.data)
