"""Numbers that were lost: adds up what the kernel counted, and refuses what nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kanna.engine.clipping import clips
from kanna.errors import NumericError
from kanna.kernel import Counts
from kanna.plan import Plan

_SHOWN: Final = 3  # names in the message; its counts cover all


def by_name(plan: Plan, counted: Iterable[tuple[int, Counts]]) -> dict[str, Counts]:
    """Add up counts by output index; return those of the outputs that have any, by name."""
    totals: dict[int, Counts] = {}
    for index, counts in counted:
        if counts != Counts():
            totals[index] = totals.get(index, Counts()) + counts
    return {plan.outputs[index].name: totals[index] for index in sorted(totals)}


def refuse(plan: Plan, counts: Mapping[str, Counts]) -> None:
    """Refuse outputs in which numbers were too large for their dtype, or became NaN.

    Those that the plan asks to clip are none; they are told, not refused.

    Raises:
        NumericError: there are some; it names the worst.
    """
    clipped = {output.name for output in plan.outputs if clips(output.op)}
    lost = {name: c.nan_made if name in clipped else c.lost for name, c in counts.items()}
    worst = sorted((name for name in lost if lost[name]), key=lambda name: -lost[name])
    if worst:
        names = ", ".join(f"{name} ({lost[name]:,})" for name in worst[:_SHOWN])
        raise NumericError(
            "engine.overflow", values=sum(lost.values()), tensors=len(worst), names=names
        )
