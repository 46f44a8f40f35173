"""A model in another layout: its tensors renamed, cut apart, joined and turned, as lazy views.

Which tensors become which is in the tables (`kanna.families.key_maps`); no number changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kanna.errors import Incompatible
from kanna.families.key_maps import Link, layout_map
from kanna.model import TensorInfo
from kanna.views import joined, renamed, reshaped, rows, transposable, transposed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaid:
    """The tensors by their names in the new layout; `unmapped` names the table has no place for.

    Names are relative to the part's prefix.
    """

    tensors: dict[str, TensorInfo]
    unmapped: tuple[str, ...]


def relayout(tensors: Mapping[str, TensorInfo], table: str, *, source: str, target: str) -> Relaid:
    """Return `tensors`, named as in the layout `source`, as the layout `target` has them.

    The order is that of `tensors`. The way back gives the same names, dtypes, shapes and bytes,
    older spellings aside.

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
    if len(link.targets) > 1:
        return _split(given[0], _shares(link, len(link.targets)))
    if len(given) > 1:
        return [_join(given, _shares(link, len(given)))]
    return [_turned(link, given[0])]


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
    if link.fold == "matrix" and len(tensor.shape) == 4 and tensor.shape[2:] == (1, 1):
        return reshaped(tensor, tensor.shape[:2])
    if link.fold == "convolution" and len(tensor.shape) == 2:
        return reshaped(tensor, (*tensor.shape, 1, 1))
    return tensor


def _unfit(*tensors: TensorInfo) -> Incompatible:
    what = ", ".join(f"{one.name} {one.dtype.word} {list(one.shape)}" for one in tensors)
    return Incompatible("relayout.unfit", what=what)
