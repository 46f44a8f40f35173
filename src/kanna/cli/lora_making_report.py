"""What the verbs that make LoRAs print: how much is kept, by block, and of which rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kanna.api import ExtractReport, LoraExtraction, LoraRemaking, ResizeReport, Retained, percent
from kanna.cli.outcome import done_lines, note_documents, note_lines, outcome_document
from kanna.cli.output import styled, table
from kanna.messages import say, shown, size_text

_MANY: Final = 32  # blocks that are shown without -v
_WORST: Final = 5


def extract_lines(made: LoraExtraction, *, verbose: bool) -> Iterator[str]:
    """Yield the report of an extraction, planned or done."""
    minus, arrow = styled("−", "cyan"), styled("→", "cyan")
    yield (f"{styled(shown(made.tuned), 'bold')} {minus} {styled(shown(made.base), 'bold')} "
           f"{arrow} {styled(shown(made.destination), 'bold')}")  # fmt: skip
    yield from note_lines(made.plan.notes, verbose=verbose)
    if made.report is not None:
        yield ""
        yield from _kept(made.report, verbose=verbose)
    yield ""
    if made.result is None:
        yield "  " + say("lora_extract.dry_run", size=size_text(made.plan.data_bytes),
                         tensors=len(made.plan.outputs), memory=size_text(made.memory))  # fmt: skip
    else:
        yield from done_lines(made.result, len(made.plan.outputs))


def _kept(report: ExtractReport, *, verbose: bool) -> Iterator[str]:
    yield styled(say("lora_extract.heading"), "bold")
    yield from retained_table(report.blocks, report.overall, verbose=verbose)
    yield ""
    yield from worst_table(report.worst, verbose=verbose)
    yield ""
    yield "  " + say("lora_extract.stated", error=percent(report.error))
    if report.beside:
        share = percent(report.share(report.beside_squares))
        key = "lora_extract.beside_written" if report.written_squares else "lora_extract.beside"
        yield "  " + say(key, count=report.beside, share=share)
    if report.skipped:
        yield "  " + say("lora_extract.skipped", count=report.skipped,
                         share=percent(report.share(report.skipped_squares)))  # fmt: skip
    if report.same:
        yield "  " + say("lora_extract.same", count=report.same)


def retained_table(
    blocks: Sequence[Retained], overall: Retained, *, verbose: bool
) -> Iterator[str]:
    """Yield what is kept by block, and of all."""
    head = [say(f"lora_extract.column_{word}") for word in ("block", "layers", "error", "ranks")]
    some = blocks if verbose else blocks[:_MANY]
    rows = [_cells(row, shown(row.name)) for row in some]
    yield from table([head, *rows, _cells(overall, say("lora_extract.overall"))], right=(1, 2))
    if hidden := len(blocks) - len(some):
        yield "  " + styled(say("lora_extract.more_blocks", count=hidden), "dim")


def worst_table(worst: Sequence[Retained], *, verbose: bool) -> Iterator[str]:
    """Yield the layers that lose most."""
    head = [say(f"lora_extract.column_{word}") for word in ("worst", "error", "ranks")]
    rows = [[shown(row.name), percent(row.error), ranks_text(row.ranks)]
            for row in (worst if verbose else worst[:_WORST])]  # fmt: skip
    yield from table([head, *rows], right=(1,))


def _cells(row: Retained, name: str) -> list[str]:
    return [name, f"{row.layers:,}", percent(row.error), ranks_text(row.ranks)]


def ranks_text(ranks: Sequence[tuple[int, int]]) -> str:
    """Return a histogram of ranks in few words: ``4–32, mostly 32``, with the count of each."""
    if len(ranks) <= 3:
        return ", ".join(f"{rank}×{count:,}" for rank, count in ranks)
    usual, count = max(ranks, key=lambda pair: pair[1])
    return f"{ranks[0][0]}–{ranks[-1][0]}, {usual}×{count:,}"


def remade_lines(made: LoraRemaking, *, verbose: bool) -> Iterator[str]:
    """Yield the report of a LoRA made of others, planned or done."""
    names = [styled(shown(path), "bold") + ("" if weight == 1 else f" × {weight:g}")
             for path, weight in made.loras]  # fmt: skip
    yield f"{' + '.join(names)} {styled('→', 'cyan')} {styled(shown(made.destination), 'bold')}"
    yield from note_lines(made.plan.notes, verbose=verbose)
    report = made.report
    yield from ["", styled(say("lora_extract.heading"), "bold")]
    yield from retained_table(report.parts, report.overall, verbose=verbose)
    if report.overall.missing:
        yield ""
        yield from worst_table(report.worst, verbose=verbose)
    yield ""
    if isinstance(report, ResizeReport):
        yield "  " + say("lora_resize.kept", share=percent(report.overall.share),
                         ranks=ranks_text(report.before))  # fmt: skip
    else:
        yield "  " + say("lora_merge.kept", error=percent(report.overall.error),
                         shared=report.shared)  # fmt: skip
    if made.result is None:
        yield "  " + say("lora_merge.dry_run", size=size_text(made.plan.data_bytes),
                         tensors=len(made.plan.outputs))  # fmt: skip
    else:
        yield from done_lines(made.result, len(made.plan.outputs))


def remade_document(made: LoraRemaking) -> dict[str, object]:
    """Return the JSON document of a LoRA made of others."""
    report = made.report
    more: dict[str, object] = {}
    if isinstance(report, ResizeReport):
        more = {"before": [{"rank": r, "layers": count} for r, count in report.before],
                "kept_as_they_are": report.kept}  # fmt: skip
    else:
        more = {"shared": report.shared}
    return {
        "loras": [{"path": str(path), "weight": weight} for path, weight in made.loras],
        "output": str(made.destination), "dry_run": made.result is None,
        "tensors": len(made.plan.outputs), "data_bytes": made.plan.data_bytes,
        "report": {
            "relative_error": report.overall.error, "retained": report.overall.share,
            "layers": retained_document(report.overall),
            "parts": [retained_document(row) for row in report.parts],
            "worst": [retained_document(row) for row in report.worst], **more,
        },
        "notes": note_documents(made.plan.notes), "result": outcome_document(made.result),
    }  # fmt: skip


def retained_document(row: Retained) -> dict[str, object]:
    """Return what some layers keep, as a JSON document."""
    return {
        "name": row.name, "layers": row.layers, "relative_error": row.error,
        "ranks": [{"rank": rank, "layers": count} for rank, count in row.ranks],
    }  # fmt: skip


def extract_document(made: LoraExtraction) -> dict[str, object]:
    """Return the JSON document of an extraction."""
    return {
        "tuned": str(made.tuned), "base": str(made.base), "output": str(made.destination),
        "dry_run": made.result is None, "tensors": len(made.plan.outputs),
        "data_bytes": made.plan.data_bytes, "memory": made.memory,
        "report": None if made.report is None else _report_document(made.report),
        "notes": note_documents(made.plan.notes), "result": outcome_document(made.result),
    }  # fmt: skip


def _report_document(report: ExtractReport) -> dict[str, object]:
    return {
        "relative_error": report.error,
        "layers": retained_document(report.overall),
        "blocks": [retained_document(row) for row in report.blocks],
        "worst": [retained_document(row) for row in report.worst],
        "skipped": {"layers": report.skipped, "share": report.share(report.skipped_squares)},
        "same": report.same,
        "beside": {"tensors": report.beside, "share": report.share(report.beside_squares),
                   "written": report.share(report.written_squares)},
    }  # fmt: skip
