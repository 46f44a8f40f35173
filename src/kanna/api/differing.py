"""What differs between two models, and what one is of the other: `diff`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.api.reading import StrPath, identified
from kanna.disk import as_path
from kanna.engine import Progress, RunOptions, publish, rehearse_publish
from kanna.engine.meter import Meter
from kanna.errors import FormatError, UsageError
from kanna.formats import open_model
from kanna.model import ModelFile
from kanna.ops.diff import DiffReport, report
from kanna.ops.diff import Section as DiffSection
from kanna.ops.diff_compared import compared
from kanna.ops.diff_picture import diff_svg
from kanna.ops.diff_rows import Row as DiffRow
from kanna.ops.diff_sides import Alignment, align, side_of
from kanna.ops.naming import check_protected

MOST_CANDIDATES: Final = 24  # C … Z; each is compared with each other

__all__ = ["Diff", "DiffReport", "DiffRow", "DiffSection", "diff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """A comparison: planned, and carried out unless only the plan was asked for.

    `tensors` are compared, of which `nbytes` are read. `report` and `picture` are None for a dry
    run, the picture too where none was asked for.
    """

    alignment: Alignment
    tensors: int
    nbytes: int
    report: DiffReport | None
    picture: Path | None


def diff(
    first: StrPath,
    second: StrPath,
    candidates: Sequence[StrPath] = (),
    *,
    svg: StrPath | None = None,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Diff:
    """Compare the model at `second` with the one at `first`, and say what it is.

    `candidates` are models that the second one may be a merge of, with the first. `svg` is a file
    for the picture; ``run_options.force`` lets it replace one. All files are read once, side by
    side.

    Raises:
        UsageError: there are more candidates than letters.
        Incompatible: two of them have nothing to compare.
        OutputExists: the picture is there.
        KannaError: whatever else is wrong with a file.
    """
    if len(candidates) > MOST_CANDIDATES:
        raise UsageError("diff.many_files", given=len(candidates), most=MOST_CANDIDATES)
    settings = run_options or RunOptions()
    threads = settings.thread_count()
    picture = None if svg is None else Path(svg)
    with ExitStack() as stack:
        models = [stack.enter_context(open_model(path)) for path in (first, second, *candidates)]
        if picture is not None:
            check_protected(picture, [file.path for model in models for file in model.files])
            rehearse_publish(picture, force=settings.force)
        one, other, *others = (side_of(m, identified(m, compare_ema=False)) for m in models)
        alignment = align(one, other, tuple(others))
        nbytes = sum(match.nbytes for match in alignment.matches)
        made = None
        if not dry_run:
            meter = Meter(nbytes, progress, cancel)
            found = compared(one, other, tuple(others), alignment, threads=threads,
                             tick=meter.tick)  # fmt: skip
            made = report(found)
            _check_unchanged(models)
    if made is not None and picture is not None:
        subjects = [as_path(path).name for path in (first, second)]
        publish(picture, diff_svg(made, *subjects).encode(), force=settings.force)
    return Diff(alignment=alignment, tensors=len(alignment.matches), nbytes=nbytes, report=made,
                picture=picture if made else None)  # fmt: skip


def _check_unchanged(models: Sequence[ModelFile]) -> None:
    """Refuse files that changed while they were read.

    Raises:
        FormatError: one did.
    """
    for file in (file for model in models for file in model.files):
        if not file.unchanged():
            raise FormatError("engine.input_changed", path=file.path)
