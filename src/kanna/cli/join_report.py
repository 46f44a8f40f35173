"""What `kanna join` prints: every part, its source and its place, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.api import Joining
from kanna.cli.output import note_line, styled, table
from kanna.identity import said
from kanna.messages import say, shown, size_text

_MANY: Final = 12


def join_lines(made: Joining, *, verbose: bool) -> Iterator[str]:
    """Yield the report of one join, planned or done."""
    plan, parts = made.planned.plan, made.planned.parts
    size = made.result.size if made.result else plan.data_bytes
    yield f"{styled(shown(made.destination), 'bold')}  {size_text(size)}"
    yield ""
    rows = [
        [part.title, size_text(part.nbytes), shown(part.source.path), shown(part.prefix)]
        for part in parts
    ]
    yield from table(rows if verbose else [row[:3] for row in rows], right=(1,))
    notes = plan.notes if verbose else plan.notes[:_MANY]
    if notes:
        yield ""
    yield from map(note_line, notes)
    if len(notes) < len(plan.notes):
        yield "  " + say("convert.more_notes", count=len(plan.notes) - len(notes))
    yield ""
    yield from _closing(made)


def _closing(made: Joining) -> Iterator[str]:
    plan, result = made.planned.plan, made.result
    if result is None:
        yield "  " + say("join.dry_run", tensors=len(plan.outputs), size=size_text(plan.data_bytes),
                         memory=size_text(made.memory))  # fmt: skip
        return
    for name, count in list(_lost(made).items())[:_MANY]:
        mark = styled("!", "yellow", "bold")
        yield f"  {mark} " + say("convert.overflowed", name=name, count=count)
    speed = size_text(result.bytes_read / max(result.seconds, 1e-3))
    yield f"  {styled('✓', 'green', 'bold')} " + say(
        f"convert.done_{result.verified}", tensors=len(plan.outputs),
        seconds=f"{result.seconds:.1f}", speed=speed,
    )  # fmt: skip
    if result.digest:
        yield "    " + say("convert.digest", digest=result.digest)


def _lost(made: Joining) -> dict[str, int]:
    counts = made.result.counts if made.result else {}
    return {name: count.lost for name, count in counts.items() if count.lost}


def join_document(made: Joining) -> dict[str, object]:
    """Return the JSON document of one join."""
    planned, result = made.planned, made.result
    return {
        "output": str(made.destination), "dry_run": result is None,
        "architecture": planned.architecture, "container": planned.plan.container,
        "parts": [
            {"part": part.word, "role": part.role, "path": str(part.source.path),
             "prefix": part.prefix, "tensors": part.tensors, "bytes": part.nbytes}
            for part in planned.parts
        ],
        "missing": list(planned.missing), "tensors": len(planned.plan.outputs),
        "data_bytes": planned.plan.data_bytes, "memory": made.memory,
        "notes": [{"key": n.key, "warning": n.warning, "text": said(n)}
                  for n in planned.plan.notes],
        "result": None if result is None else {
            "size": result.size, "data_sha256": result.digest,
            "seconds": round(result.seconds, 3), "bytes_read": result.bytes_read,
            "overflowed": _lost(made), "verified": result.verified,
        },
    }  # fmt: skip
