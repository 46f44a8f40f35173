"""Mending what `check` finds: one conversion for all that a machine may decide."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kanna.api.checking import check
from kanna.api.configuring import configure
from kanna.api.making import Conversion, convert
from kanna.api.reading import StrPath, identity_of
from kanna.disk import as_path
from kanna.engine import Progress, RunOptions
from kanna.errors import FormatError, KannaError, UnknownModel, UsageError
from kanna.families.configs import predicted_by
from kanna.findings.file_names import fitting_stem, stem_of
from kanna.findings.values import Finding, Purpose
from kanna.formats.strict_yaml import read_yaml
from kanna.identity import Identity
from kanna.ops.fix import Fixes, gather
from kanna.ops.naming import container_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What `fix` did to one file.

    `mended` are the findings that the conversion mends, `left` those that a person must decide,
    `remaining` what a check of the output still finds. `conversion` is None where no copy was
    needed; `config` is the config that was written beside the output, `config_error` why it was
    not.
    """

    path: Path
    mended: tuple[Finding, ...]
    left: tuple[Finding, ...]
    remaining: tuple[Finding, ...] = ()
    conversion: Conversion | None = None
    config: Path | None = None
    config_error: KannaError | None = None


def fix(
    path: StrPath,
    destination: StrPath | None = None,
    *,
    purpose: Purpose | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    deep: bool = False,
    protected: Iterable[StrPath] = (),
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Fixed:
    """Write a copy of the model at `path` without the findings that can be mended mechanically.

    `purpose`, `select`, `ignore` and `deep` choose the findings as `check` does; those that stand
    aside, because they count for a purpose that nobody asked for, are left alone. `destination` is
    a file, or a folder in which the output gets a name that breaks no tool; None means the folder
    of the input, where a model that lacks only its config gets that and no copy. With nothing to
    mend, nothing is written.

    Raises:
        KannaError: whatever is wrong with the input, the request or the destination.
    """
    select, ignore = tuple(select), tuple(ignore)
    found = check(path, purpose=purpose, deep=deep, select=select, ignore=ignore, progress=progress)
    fixes = gather(found.findings)
    mended, left = tuple(fixes.mended), tuple(fixes.left)
    if not mended:
        return Fixed(path=as_path(path), mended=(), left=left)
    if fixes.only_config and destination is None:
        force = run_options is not None and run_options.force
        config = None if dry_run else configure(path, force=force).path
        return Fixed(path=as_path(path), mended=mended, left=left, config=config)
    _check_suffix(destination, fixes)
    made = convert(
        path, destination, fixes.conversion(),
        stem=_stem(as_path(path), destination, found.identity), protected=protected,
        dry_run=dry_run, run_options=run_options, progress=progress, cancel=cancel,
    )  # fmt: skip
    if made.result is None:
        return Fixed(path=as_path(path), mended=mended, left=left, conversion=made)
    config, error = _configured(as_path(path), made.destination, fixes, run_options)
    again = check(made.destination, purpose=purpose, deep=deep, select=select, ignore=ignore,
                  progress=progress)  # fmt: skip
    return Fixed(
        path=as_path(path),
        mended=mended,
        left=left,
        remaining=tuple(finding for finding in again.findings if not finding.aside),
        conversion=made,
        config=config,
        config_error=error,
    )


def _check_suffix(destination: StrPath | None, fixes: Fixes) -> None:
    """Refuse an output that its name makes a pickle, where the pickle is to be mended.

    Raises:
        UsageError: it is one.
    """
    try:
        container_of(destination, fixes.conversion().container)
    except UsageError as error:
        if error.key != "convert.suffix_differs":
            raise
        raise UsageError("fix.pickle", name=destination) from None


def _stem(path: Path, destination: StrPath | None, identity: Identity) -> str:
    """Return a name for the output that breaks no tool; beside the input it says what it is."""
    stem = fitting_stem(stem_of(path), identity)
    return f"{stem}-fixed" if destination is None else stem


def _configured(
    source: Path, model: Path, fixes: Fixes, run_options: RunOptions | None
) -> tuple[Path | None, KannaError | None]:
    """Write the config of `model`; the model itself is done, so a failure is only told.

    A model that came with one gets one, too, whatever it is to serve: the copy has another name.
    """
    beside = source.with_suffix(".yaml")
    if not fixes.config and (source.is_dir() or not beside.is_file()):
        return None, None
    force = run_options is not None and run_options.force
    try:
        return configure(model, prediction=_told(model, beside), force=force).path, None
    except UnknownModel:  # what lay beside it was no config that anybody reads
        return None, None
    except KannaError as error:
        return None, error


def _told(model: Path, beside: Path) -> str | None:
    """Return what the old config says of a model that is not sure of its prediction itself."""
    own = identity_of(model).prediction
    if not beside.is_file() or (own is not None and own.certainty == "certain"):
        return None
    try:
        word = predicted_by(read_yaml(beside))
    except FormatError:
        return None
    return word if word == "v" or own is None else None
