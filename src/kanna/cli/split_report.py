"""What `kanna split` prints: every file that will be or was made, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kanna.api import Splitting
from kanna.cli.outcome import lost_lines, note_documents, note_lines, outcome_document
from kanna.cli.output import styled, table
from kanna.messages import say, shown, size_text
from kanna.plan import Plan


def split_lines(made: Splitting, *, verbose: bool) -> Iterator[str]:
    """Yield the report of one split, planned or done."""
    yield f"{styled(shown(made.before.path), 'bold')}  {size_text(made.before.size)}"
    yield ""
    rows = [_row(made, path, verbose=verbose) for path in made.files]
    yield from table([row for row in rows if row is not None], right=(1,))
    if made.notes:
        yield ""
    yield from note_lines(made.notes, verbose=verbose)
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
    yield from lost_lines(results.values())
    yield f"  {styled('✓', 'green', 'bold')} " + say(
        f"split.done_{verified}", files=len(made.files), seconds=f"{seconds:.1f}",
        speed=size_text(read / max(seconds, 1e-3)),
    )  # fmt: skip


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
        "notes": note_documents(made.notes),
    }  # fmt: skip


def _file(made: Splitting, path: Path) -> dict[str, object]:
    file, part, result = made.files[path], made.parts.get(path), made.results.get(path)
    plan = None if isinstance(file, bytes) else file
    return {
        "output": str(path), "part": part.name if part else None,
        "role": part.role if part else None, "layout": part.layout if part else None,
        "folder": made.kept_in.get(part.role) if part else None,
        "tensors": len(plan.outputs) if plan else None, "data_bytes": _size(file),
        "result": outcome_document(result),
    }  # fmt: skip
