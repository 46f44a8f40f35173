"""What `kanna convert` prints: what will be done or was done, and the file before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from kanna.api import Conversion
from kanna.cli.outcome import done_lines, note_documents, note_lines, outcome_document
from kanna.cli.output import styled, table
from kanna.cli.report import ema_compared
from kanna.messages import say, shown, size_text
from kanna.model import TensorInfo
from kanna.plan import Output


def result_lines(made: Conversion, *, verbose: bool) -> list[str]:
    """Return the report of one conversion, planned or done."""
    arrow = styled("→", "cyan")
    sizes = f"{size_text(made.before.size)} {arrow} {size_text(_size(made))}"
    lines = [f"{styled(shown(made.before.path), 'bold')} {arrow} "
             f"{styled(shown(made.destination), 'bold')}", f"  {sizes}"]  # fmt: skip
    lines += ["", *_dtype_table(made)]
    lines += ["", *note_lines(made.plan.notes, verbose=verbose)]
    if compared := ema_compared(made.before.ema):
        lines.append(f"  {styled('·', 'dim')} EMA: {compared}")
    return [*lines, *_closing(made)]


def _size(made: Conversion) -> int:
    return made.result.size if made.result else made.plan.data_bytes


def _dtype_table(made: Conversion) -> list[str]:
    """Return the bytes of each dtype, before and after."""
    before, after = _by_dtype(made.source.values()), _by_dtype(made.plan.outputs)
    words = sorted({*before, *after}, key=lambda w: -max(before.get(w, 0), after.get(w, 0)))
    rows = [
        [word, *(size_text(side[word]) if side.get(word) else "-" for side in (before, after))]
        for word in words
    ]
    return table([["", say("convert.before"), say("convert.after")], *rows], right=(1, 2))


def _by_dtype(tensors: Iterable[TensorInfo | Output]) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for tensor in tensors:
        sizes[tensor.dtype.word] += tensor.nbytes
    return sizes


def _closing(made: Conversion) -> Iterator[str]:
    result = made.result
    yield ""
    if result is None:
        memory = size_text(made.memory)
        yield "  " + say("convert.dry_run", tensors=len(made.plan.outputs), memory=memory)
        return
    yield from done_lines(result, len(made.plan.outputs))


def result_document(made: Conversion) -> dict[str, object]:
    """Return the JSON document of one conversion."""
    return {
        "path": made.before.path, "output": str(made.destination), "dry_run": made.result is None,
        "architecture": made.before.architecture, "kind": made.before.kind,
        "container": made.plan.container, "tensors": len(made.plan.outputs),
        "data_bytes": made.plan.data_bytes,
        "memory": made.memory, "dtypes": _by_dtype(made.plan.outputs),
        "ema": {"saving": made.before.ema.bytes, "equal_to_model": made.before.ema.equal_to_model},
        "notes": note_documents(made.plan.notes), "result": outcome_document(made.result),
    }  # fmt: skip
