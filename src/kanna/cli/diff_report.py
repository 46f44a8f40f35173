"""What `kanna diff` prints: the verdicts, then a table by part and by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10
from typing import Final

from kanna.api import Diff, DiffReport, DiffRow, DiffSection, percent
from kanna.cli.output import styled, table, wrapped
from kanna.identity import said
from kanna.messages import say, shown, size_text

_MANY: Final = 32  # blocks that are shown without -v: those that differ most
_WORST: Final = 5
_BAR: Final = " ▏▎▍▌▋▊▉█"
_WIDTH: Final = 8  # letters of a bar
_DECADES: Final = 5  # that a bar spans, up to a difference as large as the weights
_MARKS: Final = {"certain": ("✓", "green"), "likely": ("~", "yellow")}


def plan_lines(made: Diff) -> list[str]:
    """Return what would be compared."""
    lines = [say("diff.planned", tensors=made.tensors, size=size_text(made.nbytes))]
    return lines + list(_shape_lines(made))


def _shape_lines(made: Diff) -> Iterator[str]:
    at = made.alignment
    alone = (("diff.is_without", at.missing), ("diff.is_with", at.extra))
    for key, names in alone:
        if names:
            some = ", ".join(map(shown, names[:_WORST])) + " …" * (len(names) > _WORST)
            yield "  " + say(key, what=say("diff.counted", what=some, count=len(names)))
    if at.misshapen:
        yield "  " + say("diff.is_misshapen", count=len(at.misshapen), name=at.misshapen[0].name)


def diff_lines(made: Diff, *, verbose: bool) -> list[str]:
    """Return the report: the files, the verdicts, the tables."""
    report = made.report
    assert report is not None
    lines = [
        f"{styled(one.letter, 'bold')}  {shown(one.path)}  {size_text(one.size)}"
        for one in report.files
    ]
    lines += ["", *_verdict_lines(report), *_remarks(made, report)]
    if not report.same:
        lines += ["", *_part_table(report), "", *_block_table(report, verbose=verbose)]
        lines += ["", *_worst_table(report, verbose=verbose)]
    if made.picture is not None:
        lines += ["", say("diff.picture", path=made.picture)]
    return lines


def _verdict_lines(report: DiffReport) -> Iterator[str]:
    for one in report.verdicts:
        mark, colour = _MARKS[one.certainty]
        sentence = wrapped(said(one.note), 2)
        sure = "" if one.certainty == "certain" else " " + styled(f"[{say('diff.likely')}]", "dim")
        yield f"{styled(mark, colour, 'bold')} {sentence}{sure}"
        yield from (f"    {styled(wrapped(said(note), 4), 'dim')}" for note in one.evidence)
        blocks = one.values.get("blocks")
        for letter, text in blocks.items() if isinstance(blocks, dict) else ():
            yield f"    {say('diff.blocks', letter=letter)}\n    {text}"  # whole, to be copied


def _remarks(made: Diff, report: DiffReport) -> Iterator[str]:
    if any(report.overall.not_finite):
        first, second = report.overall.not_finite
        yield f"{styled('!', 'yellow', 'bold')} " + say(
            "diff.not_finite", first=first, second=second
        )
    if made.alignment.relaid:
        yield f"{styled('·', 'dim')} " + say("diff.relaid")
    if not report.metadata_same:
        yield f"{styled('·', 'dim')} " + say("diff.metadata_differs")


def _part_table(report: DiffReport) -> list[str]:
    letters = _letters(report)
    rows = [_cells(_part_label(one), one.row, _weights(one, letters)) for one in report.parts]
    total = _cells(say("diff.row_overall"), report.overall, [""] * len(letters))
    return _table("diff.column_part", [*rows, total], letters)


def _block_table(report: DiffReport, *, verbose: bool) -> list[str]:
    letters = _letters(report)
    kept = report.blocks if verbose else _most(_main_blocks(report))
    several = len({one.part for one in kept}) > 1
    rows = [
        _cells(_block_label(one, several=several), one.row, _weights(one, letters)) for one in kept
    ]
    lines = _table("diff.column_block", rows, letters)
    if hidden := len(report.blocks) - len(kept):
        lines.append("  " + styled(say("diff.more_blocks", count=hidden), "dim"))
    return lines


def _main_blocks(report: DiffReport) -> list[DiffSection]:
    """Return the blocks of the diffusion model; where there is none, all."""
    main = [one for one in report.blocks if one.part[0] == _MODEL]
    return main or list(report.blocks)


def _most(blocks: Sequence[DiffSection]) -> list[DiffSection]:
    """Return the blocks that differ most, in their order."""
    ranked = sorted(blocks, key=lambda one: _size(one.row), reverse=True)[:_MANY]
    chosen = {id(one) for one in ranked}
    return [one for one in blocks if id(one) in chosen]


def _size(row: DiffRow) -> float:
    return float("inf") if row.relative_rms is None else row.relative_rms


def _worst_table(report: DiffReport, *, verbose: bool) -> list[str]:
    differing = report.tensors if verbose else report.worst[:_WORST]
    rows = [_cells(shown(row.name), row, []) for row in differing]
    return _table("diff.column_tensor", rows, ()) if rows else []


def _letters(report: DiffReport) -> list[str]:
    return [one.letter for one in report.files[2:]]


def _part_label(section: DiffSection) -> str:
    role, word = section.part
    aside = role in {"ema", "position_ids", "junk", "marker", "other"}
    name = say(f"diff.role_{role}") if aside else say(f"inspect.part_{role}")
    return name if aside or word == role else f"{name} {word}"


def _block_label(section: DiffSection, *, several: bool) -> str:
    block = shown(section.row.name)
    return f"{section.part[1]}  {block}" if several and section.part[0] != _MODEL else block


_MODEL: Final = "diffusion_model"


def _weights(section: DiffSection, letters: Sequence[str]) -> list[str]:
    if section.fit is None:
        return [""] * len(letters)
    return ["–" if weight is None else f"{weight:.4f}" for weight in section.fit.weights]


def _table(first: str, rows: Sequence[Sequence[str]], letters: Sequence[str]) -> list[str]:
    columns = ("tensors", "equal", "rms", "distance", "largest")
    titles = [say(first), *(say(f"diff.column_{one}") for one in columns)]
    more = [say("diff.column_weight", letter=one) for one in letters]
    heading = [*titles[:4], "", *titles[4:], *more]
    return table([heading, *rows], (1, 2, 3, 5, 6, *range(7, 7 + len(letters))))


def _cells(label: str, row: DiffRow, weights: Sequence[str]) -> list[str]:
    counts = [label, f"{row.tensors:,}", f"{row.equal:,}"]
    if row.exact and not row.relative_rms:
        return [*counts, say("diff.equal"), "", "", "", *weights]
    return [*counts, percent(row.relative_rms), _bar(row.relative_rms), _small(row.distance),
            _small(row.largest), *weights]  # fmt: skip


def _small(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _bar(value: float | None) -> str:
    """Return a bar whose length is the logarithm of a difference, full where it is all."""
    if not value:
        return ""
    share = min(max(1 + log10(value) / _DECADES, 0.02), 1.0)
    full, rest = divmod(round(share * _WIDTH * 8), 8)
    return "█" * full + _BAR[rest].strip()


def diff_document(made: Diff, *, verbose: bool) -> dict[str, object]:
    """Return the JSON document; with `verbose` it has all tensors."""
    at, report = made.alignment, made.report
    if report is None:
        return {
            "dry_run": True, "tensors": made.tensors, "bytes": made.nbytes,
            "only_in_a": list(at.missing), "only_in_b": list(at.extra),
            "misshapen": [one.name for one in at.misshapen],
        }  # fmt: skip
    tensors = {"tensors": [row.to_json() for row in report.tensors]} if verbose else {}
    picture = None if made.picture is None else str(made.picture)
    return {**report.to_json(), "relaid": list(at.relaid), **tensors, "picture": picture}
