"""What a sweep tells in the end: one table of its outputs, their numbers and digests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from kanna.api import Swept
from kanna.cli.merge_report import merge_document, merge_lines
from kanna.cli.output import common_exit_code, error_document, styled, table
from kanna.messages import say, shown

_SHORT = 16
_MARKS = {"made": ("✓", "green"), "planned": ("·", "dim"), "there": ("=", "cyan"),
          "failed": ("!", "red")}  # fmt: skip


def sweep_lines(made: Sequence[Swept], *, verbose: bool) -> Iterator[str]:
    """Yield the summary of a sweep; what all outputs share is told of the first of them."""
    first = next((one.merging for one in made if one.merging is not None), None)
    if first is not None and (verbose or first.result is None):
        yield from merge_lines(first, verbose=verbose)
        yield ""
    axes = list(made[0].numbers) if made else []
    rows = [["", say("run.column_output"), *map(shown, axes), "sha256"]]
    for one in made:
        mark, colour = _MARKS[one.state]
        digest = (one.digest or "") if verbose else (one.digest or "")[:_SHORT]
        numbers = (f"{one.numbers[axis]:.12g}" for axis in axes)
        rows.append([styled(mark, colour), shown(one.path), *numbers, digest])
    yield from table(rows, right=range(2, 2 + len(axes)))
    for one in made:
        if one.error is not None:
            yield f"  {styled('!', 'red', 'bold')} {one.error.message}"
    count = Counter(one.state for one in made)
    yield "  " + say("run.summary", made=count["made"], planned=count["planned"],
                     there=count["there"], failed=count["failed"])  # fmt: skip


def sweep_document(made: Sequence[Swept]) -> dict[str, object]:
    """Return the JSON document of a sweep."""
    return {"outputs": [_document(one) for one in made]}


def sweep_code(made: Sequence[Swept]) -> int:
    """Return the exit code: the one that all failures share, 0 without any."""
    return common_exit_code([one.error.exit_code for one in made if one.error is not None])


def _document(one: Swept) -> dict[str, object]:
    return {
        "output": str(one.path), "state": one.state, "numbers": dict(one.numbers),
        "data_sha256": one.digest,
        "merge": merge_document(one.merging) if one.merging is not None else None,
        "error": error_document(one.error) if one.error is not None else None,
    }  # fmt: skip
