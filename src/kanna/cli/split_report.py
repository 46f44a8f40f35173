"""What `kanna split` prints: every file that will be or was made, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kanna.api import Splitting
from kanna.cli.output import note_line, styled, table
from kanna.identity import said
from kanna.messages import say, shown, size_text
from kanna.plan import Plan

_MANY: Final = 12


def split_lines(made: Splitting, *, verbose: bool) -> Iterator[str]:
    """Yield the report of one split, planned or done."""
    yield f"{styled(shown(made.before.path), 'bold')}  {size_text(made.before.size)}"
    yield ""
    rows = [_row(made, path, verbose=verbose) for path in made.files]
    yield from table([row for row in rows if row is not None], right=(1,))
    notes = made.notes if verbose else made.notes[:_MANY]
    if notes:
        yield ""
    yield from map(note_line, notes)
    if len(notes) < len(made.notes):
        yield "  " + say("convert.more_notes", count=len(made.notes) - len(notes))
    yield ""
    yield from _closing(made)


def _row(made: Splitting, path: Path, *, verbose: bool) -> list[str] | None:
    """Return a file's line: name, size, what it is, where programs look for it."""
    file = made.files[path]
    if isinstance(file, bytes) and not verbose:
        return None
    part = made.parts.get(path)
    cells = [styled(shown(path), "bold"), size_text(_size(file))]
    if part is None:
        return cells
    what = say(f"inspect.part_{part.role}") if part.role != "leftovers" else say("split.leftovers")
    layout = say("split.layout", layout=part.layout) if part.layout and verbose else ""
    folder = made.kept_in.get(part.role)
    return [*cells, what, layout, say("split.goes_to", folder=folder) if folder else ""]


def _size(file: Plan | bytes) -> int:
    return len(file) if isinstance(file, bytes) else file.data_bytes


def _closing(made: Splitting) -> Iterator[str]:
    results = made.results
    if not results:
        size = size_text(sum(map(_size, made.files.values())))
        yield "  " + say("split.dry_run", files=len(made.files), size=size,
                         memory=size_text(made.memory))  # fmt: skip
        return
    seconds = sum(result.seconds for result in results.values())
    read = sum(result.bytes_read for result in results.values())
    verified = next(iter(results.values())).verified
    for name, count in list(_lost(made).items())[:_MANY]:
        mark = styled("!", "yellow", "bold")
        yield f"  {mark} " + say("convert.overflowed", name=name, count=count)
    yield f"  {styled('✓', 'green', 'bold')} " + say(
        f"split.done_{verified}", files=len(made.files), seconds=f"{seconds:.1f}",
        speed=size_text(read / max(seconds, 1e-3)),
    )  # fmt: skip


def _lost(made: Splitting) -> dict[str, int]:
    """Return how many values did not fit in their dtype, by tensor."""
    every = (result.counts for result in made.results.values())
    return {name: count.lost for counts in every for name, count in counts.items() if count.lost}


def split_document(made: Splitting) -> dict[str, object]:
    """Return the JSON document of one split."""
    pipeline = made.pipeline
    return {
        "path": made.before.path, "dry_run": not made.results,
        "architecture": made.before.architecture, "kind": made.before.kind,
        "pipeline": None if pipeline is None else {
            "class": pipeline.pipeline.class_name, "others": list(pipeline.others),
            "components": list(pipeline.components), "missing": list(pipeline.missing),
            "referenced": list(pipeline.referenced),
        },
        "files": [_file(made, path) for path in made.files],
        "memory": made.memory,
        "notes": [{"key": n.key, "warning": n.warning, "text": said(n)} for n in made.notes],
    }  # fmt: skip


def _file(made: Splitting, path: Path) -> dict[str, object]:
    file, part, result = made.files[path], made.parts.get(path), made.results.get(path)
    plan = None if isinstance(file, bytes) else file
    return {
        "output": str(path), "part": part.name if part else None,
        "role": part.role if part else None, "layout": part.layout if part else None,
        "folder": made.kept_in.get(part.role) if part else None,
        "tensors": len(plan.outputs) if plan else None, "data_bytes": _size(file),
        "result": None if result is None else {
            "size": result.size, "data_sha256": result.digest,
            "seconds": round(result.seconds, 3), "bytes_read": result.bytes_read,
            "overflowed": {n: c.lost for n, c in result.counts.items() if c.lost},
            "verified": result.verified,
        },
    }  # fmt: skip
