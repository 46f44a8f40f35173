"""`kanna run`: make what a recipe says."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import click

from kanna import api
from kanna.api import FoundRecipe, SourceFile
from kanna.cli.batch import Batch
from kanna.cli.merge_report import merge_document, merge_lines
from kanna.cli.options import Verb, common, option
from kanna.cli.output import note_line, print_notice
from kanna.cli.progress import Bar
from kanna.cli.running import run_options, running
from kanna.cli.sweep_report import sweep_code, sweep_document, sweep_lines
from kanna.errors import UsageError

_LONGEST = 4 << 20
folders = option(
    "--models", text="run.option_models", multiple=True, metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip


@click.command("run", cls=Verb)
@click.argument("recipe", metavar="RECIPE|-")
@option("-o", "--output", text="run.option_output", type=str)
@folders
@option("--set", "settings", text="run.option_set", metavar="STEP.NAME=VALUE", multiple=True)
@option("--sweep", "sweeps", text="run.option_sweep", metavar="NAME=FIRST:LAST:STEP",
        multiple=True)  # fmt: skip
@option("--together", text="run.option_together", type=click.IntRange(1, 64), default=8)
@option("--device", text="merge.option_device", metavar="DEVICE", default="cpu")
@running
@common
def run(recipe: str, *, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> int:
    """Make the output of a recipe, or one for each point of its axes."""
    found = read(recipe, given["settings"], given["sweeps"])
    hidden = quiet or as_json
    if not hidden:
        tell_of(found)
    with Bar("sha256", hidden=hidden) as bar:
        sources = look_for(found, given["models"], bar, hidden=hidden)
    paths = api.paths_of(sources)
    if not hidden:
        _tell_of_renamed(sources)
    output = _output(found, given["output"])
    job = _sweep if found.recipe.axes else _one
    return job(found, output, paths, given, as_json=as_json, quiet=quiet, verbose=verbose)


def read(recipe: str, settings: tuple[str, ...] = (), sweeps: tuple[str, ...] = ()) -> FoundRecipe:
    """Return the recipe in a file, or the one that comes on stdin where that is ``-``.

    Raises:
        UsageError: it makes no sense.
    """
    text = None
    if recipe == "-":
        text = sys.stdin.buffer.read(_LONGEST).decode("utf-8", "replace")
    return api.read_recipe(recipe, text=text, settings=settings, sweeps=sweeps)


def look_for(
    found: FoundRecipe, models: tuple[Path, ...], bar: Bar, *, hidden: bool
) -> dict[str, SourceFile]:
    """Return where the sources are, and say which files are hashed for that."""

    def tell(path: Path) -> None:
        if not hidden:
            print_notice("run.hashing", path=path)

    watching = api.Watching(tell=tell, progress=bar)
    return api.find_sources(found.recipe, found.folder, models, watching)


def tell_of(found: FoundRecipe) -> None:
    """Say on stderr whose recipe it is, and what of it was lost or looks forgotten."""
    if found.program != "kanna":
        print_notice("recipe.converted", program=found.program, path=found.path)
    for note in found.notes:
        sys.stderr.write(note_line(note) + "\n")


def _tell_of_renamed(sources: dict[str, SourceFile]) -> None:
    for name, source in sources.items():
        if source.renamed:
            print_notice("run.renamed", name=name, path=source.path)


def _output(found: FoundRecipe, given: str | None) -> str:
    """Return what to write: what the user says, else what the recipe says, beside the recipe.

    Raises:
        UsageError: neither says so, or the recipe would write somewhere else.
    """
    if given is not None:
        return given
    path = found.recipe.output.path
    if not path or found.path == "-":
        raise UsageError("run.no_output")
    place = PurePath(path)
    if place.is_absolute() or ".." in place.parts or "\\" in path or ":" in path:
        raise UsageError("run.output_elsewhere", output=path)
    return str(found.folder / path)


def _one(
    found: FoundRecipe, output: str, paths: dict[str, Path], given: dict[str, Any], *,
    as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    batch, hidden = Batch(as_json=as_json, quiet=quiet), quiet or as_json
    with Bar("sha256", hidden=hidden) as hashing, Bar(Path(output).name, hidden=hidden) as bar:
        made = api.merge(
            found.recipe, output, found=paths, device=given["device"],
            hash_inputs=not given["no_hash"], dry_run=given["dry_run"],
            run_options=run_options(given), progress=bar, hash_progress=hashing,
        )  # fmt: skip
    batch.add(merge_document(made), partial(merge_lines, made, verbose=verbose))
    return batch.close(several=False)


def _sweep(
    found: FoundRecipe, output: str, paths: dict[str, Path], given: dict[str, Any], *,
    as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    batch, hidden = Batch(as_json=as_json, quiet=quiet), quiet or as_json
    stem = "sweep" if found.path == "-" else Path(found.path).stem
    options = api.SweepOptions(
        together=given["together"], device=given["device"], hash_inputs=not given["no_hash"],
        dry_run=given["dry_run"], run_options=run_options(given),
    )  # fmt: skip
    target = api.sweep_target(output, stem, found.recipe.output.container)
    with Bar("sha256", hidden=hidden) as hashing, Bar(target.name, hidden=hidden) as bar:
        made = api.sweep(found.recipe, target, paths, options, progress=bar,
                         hash_progress=hashing)  # fmt: skip
    batch.add(sweep_document(made), partial(sweep_lines, made, verbose=verbose),
              code=sweep_code(made))  # fmt: skip
    return batch.close(several=False)
