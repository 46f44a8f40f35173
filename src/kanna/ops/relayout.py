"""A model in another layout: its tensors renamed, cut apart, joined and turned, as lazy views.

Which tensors become which is in the tables (`kanna.families.key_maps`); no number changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kanna.errors import Incompatible
from kanna.families.key_maps import Link, layout_map
from kanna.model import TensorInfo
from kanna.views import joined, renamed, reshaped, rows, transposable, transposed

# What ComfyUI writes beside a quantised weight to say how: the same for every piece of it.
_MARKERS: Final = (".comfy_quant",)
_LONGEST_MARKER: Final = 4096  # bytes; those that are written have less than a hundred


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaid:
    """The tensors by their names in the new layout; `unmapped` names the table has no place for.

    Names are relative to the part's prefix.
    """

    tensors: dict[str, TensorInfo]
    unmapped: tuple[str, ...]


def relayout(tensors: Mapping[str, TensorInfo], table: str, *, source: str, target: str) -> Relaid:
    """Return `tensors`, named as in the layout `source`, as the layout `target` has them.

    The order is that of `tensors`. The way back gives the same names, dtypes, shapes and bytes, but
    for older spellings, and for a matrix where the layout has a 1x1 convolution (or the other way
    round). What stands beside a weight, such as its scale, goes with it.

    Raises:
        KeyError: no such table, or it has no such layout.
        Incompatible: of tensors that become one, some are missing or do not fit together; one does
            not have the shape that its place asks for; or the blocks make no model.
    """
    found = layout_map(table, tensors, source=source, target=target)
    places = {name: place for place, name in enumerate(tensors)}
    made: dict[str, TensorInfo] = {}
    for link in sorted(found.links, key=lambda link: places[link.sources[0]]):
        for name, tensor in zip(link.targets, _made(link, tensors), strict=True):
            made[name] = renamed(tensor, name)
    return Relaid(tensors=made, unmapped=found.unmapped)


def _made(link: Link, tensors: Mapping[str, TensorInfo]) -> list[TensorInfo]:
    given = [tensors[name] for name in link.sources]
    if link.beside:
        return _made_beside(link, given, tensors[link.beside.sources[0]])
    if len(link.targets) > 1:
        return [_folded(link, one) for one in _split(given[0], _shares(link, len(link.targets)))]
    if len(given) > 1:
        return [_folded(link, _join(given, _shares(link, len(given))))]
    return [_folded(link, _turned(link, given[0]))]


def _made_beside(link: Link, given: Sequence[TensorInfo], weight: TensorInfo) -> list[TensorInfo]:
    """Bring along what stands beside a weight: one for all, or one number (or more) for each row.

    Raises:
        Incompatible: it cannot be said what becomes of it.
    """
    owner, first = link.beside or link, given[0]
    plain = len(given) == len(link.targets) and not (owner.swap or owner.transpose or owner.fold)
    for_all = first.numel == 1 or first.name.endswith(_MARKERS)
    if plain or (for_all and _alike(given)):
        return [first] * len(link.targets)
    by_row = first.shape[:1] == weight.shape[:1] and first.dtype.kind == "float"
    if by_row and not for_all and not owner.transpose:
        return _made(replace(owner, fold=None, sources=link.sources), {t.name: t for t in given})
    raise Incompatible("relayout.beside", name=first.name, weight=weight.name)


def _alike(given: Sequence[TensorInfo]) -> bool:
    first, *others = given
    return first.nbytes <= _LONGEST_MARKER and all(
        (one.dtype, one.shape) == (first.dtype, first.shape) and one.read() == first.read()
        for one in others
    )


def _shares(link: Link, count: int) -> Sequence[int]:
    return link.shares or (1,) * count


def _split(tensor: TensorInfo, shares: Sequence[int]) -> list[TensorInfo]:
    unit, rest = divmod(tensor.shape[0] if tensor.shape else 0, sum(shares))
    if rest or not unit:
        raise _unfit(tensor)
    cut, start = [], 0
    for share in shares:
        cut.append(_tried(tensor, start * unit, (start + share) * unit))
        start += share
    return cut


def _tried(tensor: TensorInfo, start: int, stop: int) -> TensorInfo:
    try:
        return rows(tensor, start, stop)
    except ValueError as error:
        raise _unfit(tensor) from error


def _join(given: Sequence[TensorInfo], shares: Sequence[int]) -> TensorInfo:
    sizes = [tensor.shape[0] if tensor.shape else 0 for tensor in given]
    if any(size * shares[0] != sizes[0] * share for size, share in zip(sizes, shares, strict=True)):
        raise _unfit(*given)
    try:
        return joined(given)
    except ValueError as error:
        raise _unfit(*given) from error


def _turned(link: Link, tensor: TensorInfo) -> TensorInfo:
    if link.swap:
        first, second = _split(tensor, (1, 1))
        tensor = _join([second, first], (1, 1))
    if link.transpose:
        if len(tensor.shape) != 2 or not transposable(tensor):
            raise _unfit(tensor)
        tensor = transposed(tensor)
    return tensor


def _folded(link: Link, tensor: TensorInfo) -> TensorInfo:
    """Return a 1x1 convolution as a matrix or the other way round, where the link says so."""
    if link.fold == "matrix" and len(tensor.shape) == 4 and tensor.shape[2:] == (1, 1):
        return reshaped(tensor, tensor.shape[:2])
    if link.fold == "convolution" and len(tensor.shape) == 2:
        return reshaped(tensor, (*tensor.shape, 1, 1))
    return tensor


def _unfit(*tensors: TensorInfo) -> Incompatible:
    what = ", ".join(f"{one.name} {one.dtype.word} {list(one.shape)}" for one in tensors)
    return Incompatible("relayout.unfit", what=what)
