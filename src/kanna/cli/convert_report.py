"""What `kanna convert` prints: what will be done or was done, and the file before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from kanna.api import Conversion
from kanna.cli.output import note_line, styled, table
from kanna.cli.report import ema_compared
from kanna.identity import said
from kanna.messages import say, shown, size_text
from kanna.model import TensorInfo
from kanna.plan import Output

_MANY: Final = 12


def result_lines(made: Conversion, *, verbose: bool) -> list[str]:
    """Return the report of one conversion, planned or done."""
    arrow = styled("→", "cyan")
    sizes = f"{size_text(made.before.size)} {arrow} {size_text(_size(made))}"
    lines = [f"{styled(shown(made.before.path), 'bold')} {arrow} "
             f"{styled(shown(made.destination), 'bold')}", f"  {sizes}"]  # fmt: skip
    lines += ["", *_dtype_table(made)]
    notes = made.plan.notes if verbose else made.plan.notes[:_MANY]
    lines += ["", *(note_line(note) for note in notes)]
    if len(notes) < len(made.plan.notes):
        lines.append("  " + say("convert.more_notes", count=len(made.plan.notes) - len(notes)))
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
    for name, count in list(_lost(made).items())[:_MANY]:
        yield f"  {styled('!', 'yellow', 'bold')} " + say(
            "convert.overflowed", name=name, count=count
        )
    speed = size_text(result.bytes_read / max(result.seconds, 1e-3))
    yield f"  {styled('✓', 'green', 'bold')} " + say(
        f"convert.done_{result.verified}", tensors=len(made.plan.outputs),
        seconds=f"{result.seconds:.1f}", speed=speed,
    )  # fmt: skip
    if result.digest:
        yield "    " + say("convert.digest", digest=result.digest)


def _lost(made: Conversion) -> dict[str, int]:
    """Return how many values did not fit in their dtype, by tensor."""
    counts = made.result.counts if made.result else {}
    return {name: count.lost for name, count in counts.items() if count.lost}


def result_document(made: Conversion) -> dict[str, object]:
    """Return the JSON document of one conversion."""
    result = made.result
    done = None if result is None else {
        "size": result.size, "data_sha256": result.digest, "seconds": round(result.seconds, 3),
        "bytes_read": result.bytes_read, "overflowed": _lost(made),
        "verified": result.verified,
    }  # fmt: skip
    return {
        "path": made.before.path, "output": str(made.destination), "dry_run": result is None,
        "architecture": made.before.architecture, "kind": made.before.kind,
        "container": made.plan.container, "tensors": len(made.plan.outputs),
        "data_bytes": made.plan.data_bytes,
        "memory": made.memory, "dtypes": _by_dtype(made.plan.outputs),
        "ema": {"saving": made.before.ema.bytes, "equal_to_model": made.before.ema.equal_to_model},
        "notes": [{"key": n.key, "warning": n.warning, "text": said(n)}
                  for n in made.plan.notes],
        "result": done,
    }  # fmt: skip
