"""Models in fewer bits, and plain again: `quantize`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from kanna.api.making import Conversion, folder_for
from kanna.api.reading import StrPath, identified
from kanna.disk import as_path
from kanna.engine import (
    Progress,
    Result,
    RunOptions,
    publish,
    rehearse,
    rehearse_publish,
    run,
)
from kanna.errors import UsageError
from kanna.formats import open_model
from kanna.identity import Identity
from kanna.ops.quantize import BACK, TARGETS, QuantizeOptions, check_options, container_for
from kanna.ops.quantize import quantize as plan_quantization
from kanna.quantizing.schemes import Form

if TYPE_CHECKING:
    from kanna.ops.error_report import ErrorReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """A quantisation: planned, and carried out unless only the plan was asked for.

    `report` says how far the numbers moved, and `picture` is the file that shows it; both are None
    for a dry run, the picture too where none was asked for.
    """

    conversion: Conversion
    report: ErrorReport | None
    picture: Path | None


def quantize_words(option: str) -> tuple[str, ...]:
    """Return the words that an option of `QuantizeOptions` can have."""
    return {"to": TARGETS, "form": get_args(Form), "keep_dtype": BACK}[option]


def quantize(
    path: StrPath,
    destination: StrPath | None,
    options: QuantizeOptions,
    *,
    svg: StrPath | None = None,
    stem: str | None = None,
    protected: Iterable[StrPath] = (),
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Quantization:
    """Quantise the model at `path`, or make plain numbers of a quantised one.

    `destination`, `stem` and `protected` are those of `convert`. `svg` is a file for the picture of
    the errors, or a folder in which it is called as the output is. It replaces a picture with
    ``run_options.force``, never an input or an output.

    Raises:
        KannaError: whatever is wrong with the input, the request or the destination.
    """
    from kanna.ops.naming import check_protected, is_folder
    from kanna.ops.naming import destination as named

    check_options(options)
    _check_suffix(destination, options)
    settings = run_options or RunOptions()
    with open_model(path) as model:
        identity = identified(model, compare_ema=False)
        planned = plan_quantization(model, identity, options)
        plan = planned.plan
        target = named(as_path(path), destination, planned.tags, plan.container, stem)
        others = [other for other in protected if Path(other) != Path(path)]
        check_protected(target, others)
        read = [file.path for file in model.files]
        picture = None if svg is None else _picture(svg, target, [*others, *read])
        if picture is not None:
            rehearse_publish(picture, force=settings.force)
        make_folder = destination is not None and is_folder(destination)
        result: Result | None = None
        if dry_run:
            memory = rehearse(plan, target, options=settings, folder_will_be_made=make_folder)
        else:
            with folder_for(target.parent, wanted=make_folder):
                result = run(plan, target, options=settings, progress=progress, cancel=cancel)
            memory = result.memory
        made = Conversion(source=model, before=identity, plan=plan, destination=target,
                          memory=memory, result=result)  # fmt: skip
    if result is None:
        return Quantization(conversion=made, report=None, picture=None)
    report = _report(result, identity)
    if picture is not None:
        _draw(report, target, picture, force=settings.force)
    return Quantization(conversion=made, report=report, picture=picture)


def _check_suffix(destination: StrPath | None, options: QuantizeOptions) -> None:
    """Refuse the name of another container than the one that holds what is wanted.

    Raises:
        UsageError: it is one.
    """
    from kanna.ops.naming import container_of

    container = container_for(options)
    try:
        container_of(destination, container)
    except UsageError as error:
        if error.key != "convert.suffix_differs":
            raise
        raise UsageError(
            "quantize.suffix_differs", name=destination, to=options.to, suffix=f".{container}"
        ) from None


def _report(result: Result, identity: Identity) -> ErrorReport:
    from kanna.ops.error_report import error_report

    return error_report(result.losses, [part.prefix for part in identity.parts])


def _picture(svg: StrPath, target: Path, protected: Iterable[StrPath]) -> Path:
    """Return the file for the picture of what is written to `target`.

    Raises:
        UsageError: it would be the very same file, or one of those `protected`.
    """
    from kanna.ops.naming import check_protected

    text = os.fspath(svg)
    path = Path(text)
    if text.endswith(("/", os.sep)) or path.is_dir():
        path /= f"{target.stem}.svg"
    if str(path.resolve()).casefold() == str(target.resolve()).casefold():
        raise UsageError("engine.twice", path=path, other=target)
    check_protected(path, protected)
    return path


def _draw(report: ErrorReport, target: Path, picture: Path, *, force: bool) -> None:
    from kanna.disk import make_folder
    from kanna.ops.error_picture import error_svg

    if not picture.parent.exists():
        make_folder(picture.parent)
    publish(picture, error_svg(report, subject=target.name).encode(), force=force)
