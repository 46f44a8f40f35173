"""What `kanna join` prints: every part, its source and its place, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from kanna.api import Joining
from kanna.cli.outcome import done_lines, note_documents, note_lines, outcome_document
from kanna.cli.output import styled, table
from kanna.messages import say, shown, size_text


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
    if plan.notes:
        yield ""
    yield from note_lines(plan.notes, verbose=verbose)
    yield ""
    yield from _closing(made)


def _closing(made: Joining) -> Iterator[str]:
    plan, result = made.planned.plan, made.result
    if result is None:
        yield "  " + say("join.dry_run", tensors=len(plan.outputs), size=size_text(plan.data_bytes),
                         memory=size_text(made.memory))  # fmt: skip
        return
    yield from done_lines(result, len(plan.outputs))


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
        "notes": note_documents(planned.plan.notes), "result": outcome_document(result),
    }  # fmt: skip
