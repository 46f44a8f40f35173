"""What every verb tells of a plan and of how it went: notes, what did not fit, the last lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kanna.api import Result
from kanna.cli.output import note_line, styled
from kanna.identity import said
from kanna.messages import say, size_text
from kanna.model import Note

_MANY: Final = 12


def note_lines(notes: Sequence[Note], *, verbose: bool) -> Iterator[str]:
    """Yield a plan's notes, the first of them where there are many."""
    first = notes if verbose else notes[:_MANY]
    yield from map(note_line, first)
    if len(first) < len(notes):
        yield "  " + say("convert.more_notes", count=len(notes) - len(first))


def note_documents(notes: Iterable[Note]) -> list[dict[str, object]]:
    """Return a plan's notes as JSON documents."""
    return [{"key": one.key, "warning": one.warning, "text": said(one)} for one in notes]


def lost_lines(results: Iterable[Result]) -> Iterator[str]:
    """Yield the tensors with values that did not fit in their dtype."""
    lost = [pair for result in results for pair in _lost(result).items()]
    for name, count in lost[:_MANY]:
        mark = styled("!", "yellow", "bold")
        yield f"  {mark} " + say("convert.overflowed", name=name, count=count)


def done_lines(result: Result, tensors: int) -> Iterator[str]:
    """Yield the last lines on one file that was written."""
    yield from lost_lines([result])
    speed = size_text(result.bytes_read / max(result.seconds, 1e-3))
    yield f"  {styled('✓', 'green', 'bold')} " + say(
        f"convert.done_{result.verified}", tensors=tensors, seconds=f"{result.seconds:.1f}",
        speed=speed,
    )  # fmt: skip
    if result.digest:
        yield "    " + say("convert.digest", digest=result.digest)


def outcome_document(result: Result | None) -> dict[str, object] | None:
    """Return how writing one file went, as a JSON document; None for a dry run."""
    if result is None:
        return None
    return {
        "size": result.size, "data_sha256": result.digest, "seconds": round(result.seconds, 3),
        "bytes_read": result.bytes_read, "overflowed": _lost(result), "verified": result.verified,
    }  # fmt: skip


def _lost(result: Result) -> dict[str, int]:
    """Return how many values did not fit in their dtype, by tensor."""
    return {name: count.lost for name, count in result.counts.items() if count.lost}
