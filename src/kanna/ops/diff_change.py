"""What became of the part that changed: a merge, a LoRA, the averaged copy, another scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from kanna.engine.differences import Match, differences
from kanna.kernel import Comparison
from kanna.ops.diff_compared import Compared, Part
from kanna.ops.diff_fit import is_rounding, may_be_rounding
from kanna.ops.diff_lora import low_rank
from kanna.ops.diff_merges import merged
from kanna.ops.diff_rows import row_of
from kanna.ops.diff_verdict import Verdict, number, part_name, percent, verdict

UNRELATED: Final = 0.1  # the greatest cosine of matrices that were made apart
DISTANT: Final = 0.5
_LOSSY: Final = 0.02  # cosine distance of what quantising makes
_FEW: Final = 1 << 16  # numbers of a tensor that are read just to see


def change(found: Compared, part: Part) -> Iterator[Verdict]:
    """Yield what is true of the changed `part`.

    Raises:
        FormatError: a file does not hold what its header says.
    """
    names = found.parts[part]
    sums = _sums(found, _matrices(found, names))
    merge = merged(found)
    copy = _averaged(found, names) if part[0] == "diffusion_model" else None
    scaled = _scaled(found, names)
    quantised = _quantised(found, names)
    first = merge if merge and merge.kind != "partly_merged" else None
    settled = copy or first or scaled or quantised or _unrelated(sums)
    if settled is not None:
        yield settled
        return
    lora, why = low_rank(found, part)
    if lora is not None:
        yield lora
        return
    if merge is not None:
        yield merge
        return
    row = found.row("", names)
    if may_be_rounding(_sums(found, names).dd, found.noise(names)):
        yield verdict(
            "rounded", "likely", part=part_name(part), rms=percent(row.relative_rms or 0),
            changed=row.tensors - row.equal, tensors=row.tensors,
            values={"relative_rms": row.relative_rms},
        )  # fmt: skip
        return
    kind = "distant" if sums.xx and _cosine(sums) < DISTANT else "related"
    yield verdict(
        kind, "likely", part=part_name(part), rms=percent(row.relative_rms or 0),
        changed=row.tensors - row.equal, tensors=row.tensors, evidence=why,
        values={"relative_rms": row.relative_rms, "cosine_distance": row.distance},
    )  # fmt: skip


def _matrices(found: Compared, names: Iterable[str]) -> list[str]:
    """Return the names of weights with two dimensions or more: biases and norms are alike in all.

    Where there are none, all names.
    """
    listed = list(names)
    wide = [name for name in listed if len(found.matches[name].first.shape) > 1]
    return wide or listed


def _sums(found: Compared, names: Iterable[str]) -> Comparison:
    return sum((found.differences[name].sums for name in names), Comparison())


def _cosine(sums: Comparison) -> float:
    return sums.xy / (sums.xx * sums.yy) ** 0.5 if sums.xx and sums.yy else 0.0


def _unrelated(sums: Comparison) -> Verdict | None:
    cosine = _cosine(sums)
    if not (sums.xx and sums.yy) or cosine > UNRELATED:
        return None
    return verdict("unrelated", cosine=f"{cosine:.3f}", values={"cosine": cosine})


def _scaled(found: Compared, names: Iterable[str]) -> Verdict | None:
    """Say that B is A times a number, if nothing is left that rounding does not make."""
    listed = list(names)
    sums = _sums(found, listed)
    if not sums.xx or not sums.dd:
        return None
    along = sums.xy - sums.xx  # A's share in the difference
    left = sums.dd - along * along / sums.xx
    scale = sums.xy / sums.xx
    noise = found.noise(listed)
    if may_be_rounding(sums.dd, noise) or not is_rounding(left, noise, sums.dd):
        return None
    return verdict("scaled", scale=number(scale), values={"scale": scale})


def _quantised(found: Compared, names: Iterable[str]) -> Verdict | None:
    """Say that one of them is the other in fewer bits."""
    listed = list(names)
    of = [sum(name in side.decoded or found_bits(found, name, at) <= 8 for name in listed)
          for at, side in enumerate((found.first, found.second))]  # fmt: skip
    row = found.row("", listed)
    if bool(of[0]) == bool(of[1]) or row.distance is None or row.distance > _LOSSY:
        return None
    kind = "quantised" if of[1] else "unquantised"
    return verdict(kind, "likely", rms=percent(row.relative_rms or 0), tensors=max(of),
                   values={"relative_rms": row.relative_rms, "tensors": max(of)})  # fmt: skip


def found_bits(found: Compared, name: str, at: int) -> int:
    """Return the bits of a number of the tensor in one of the files."""
    match = found.matches[name]
    return (match.first, match.second)[at].dtype.bits


def _averaged(found: Compared, names: Iterable[str]) -> Verdict | None:
    """Say that B's model is A's averaged copy, if all its numbers are."""
    pairs, first = found.first.identity.ema.pairs, found.first.tensors
    matches = [
        replace(found.matches[name], first=first[pairs[name]], others=())
        for name in names if name in pairs and pairs[name] in first
    ]  # fmt: skip
    few = [match for match in matches if match.first.numel <= _FEW][:4]
    if not few or not _all_equal(few, 1) or not _all_equal(matches, found.threads):
        return None
    return verdict("averaged", tensors=len(matches))


def _all_equal(matches: list[Match], threads: int) -> bool:
    return not row_of("", differences(matches, threads=threads)).unequal
