"""Whether what was added to A is a LoRA: few weights of many dimensions, each of a low rank."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from math import prod
from typing import Final

from kanna.model import Note
from kanna.ops.diff_compared import Compared, Part
from kanna.ops.diff_rows import relative_rms
from kanna.ops.diff_verdict import Verdict, verdict
from kanna.views.computed import summed

_SAMPLE: Final = 6  # weights that are looked at
_LARGEST: Final = 1 << 24  # numbers of one
_LEAST: Final = 16  # rows and columns: what is smaller has a low rank anyway
_MOST: Final = 256  # the highest rank that is looked for

_Looked = tuple[Verdict | None, tuple[Note, ...]]


def low_rank(found: Compared, part: Part) -> _Looked:
    """Return the verdict that B is A with a LoRA, or None; and why nothing can be said.

    A LoRA leaves norms and biases alone; where these changed nothing is read again.

    Raises:
        FormatError: a file does not hold what its header says.
    """
    names = found.parts[part]
    changed = [name for name in names if found.differences[name].unequal]
    flat = [name for name in names if len(found.matches[name].first.shape) < 2]
    if not flat or any(found.differences[name].unequal for name in flat):
        return None, ()
    sample = _sample(found, changed)
    if not sample:
        return None, ()
    if not find_spec("torch"):
        return None, (Note("diff.only_matrices", {"count": len(changed)}), Note("diff.no_torch"))
    ranks = [_rank(found, name) for name in sample]
    known = [rank for rank in ranks if rank is not None]
    if len(known) * 2 <= len(ranks):
        return None, (Note("diff.only_matrices", {"count": len(changed)}),)
    rank = max(known)
    sure = len(known) == len(ranks) and min(known) == rank
    evidence = (
        Note("diff.only_matrices", {"count": len(changed)}),
        Note("diff.ranks", {"count": len(ranks), "ranks": _listed(ranks)}),
    )
    return verdict("lora", "certain" if sure else "likely", rank=rank, evidence=evidence,
                   values={"rank": rank, "changed": len(changed),
                           "ranks": dict(zip(sample, ranks, strict=True))}), ()  # fmt: skip


def _listed(ranks: Sequence[int | None]) -> str:
    return ", ".join("–" if rank is None else str(rank) for rank in ranks)


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    return shape[0], prod(shape[1:])


def _sample(found: Compared, names: Sequence[str]) -> list[str]:
    """Return weights from all over the model, of each stretch the one that changed most."""
    fitting = [
        name for name in names
        if len(found.matches[name].first.shape) > 1
        and min(_matrix(found.matches[name].first.shape)) >= _LEAST
        and found.matches[name].first.numel <= _LARGEST
        and not any(found.differences[name].not_finite)
    ]  # fmt: skip
    stretch = -(-len(fitting) // _SAMPLE) or 1
    groups = [fitting[at : at + stretch] for at in range(0, len(fitting), stretch)]
    return [
        max(group, key=lambda name: relative_rms(found.differences[name].sums) or 0.0)
        for group in groups
    ]


def _rank(found: Compared, name: str) -> int | None:
    match = found.matches[name]
    shape = _matrix(match.first.shape)
    delta = summed([match.second, match.first], [1.0, -1.0])
    most = min(_MOST, min(shape) // 4)
    result = import_module("kanna.tensor_math.spectrum").standout(
        bytearray(delta.read()), shape, found.noise([name]), most
    )
    rank: int | None = result.rank
    return rank
