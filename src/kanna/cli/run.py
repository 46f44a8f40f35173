"""`kanna run`: make what a recipe says."""

from __future__ import annotations

import sys
from pathlib import Path, PurePath
from typing import Any

import click

from kanna import api
from kanna.api import FoundRecipe, SourceFile
from kanna.cli.merge_job import carry_out, sweeping
from kanna.cli.options import Verb, common, option
from kanna.cli.output import note_line, print_notice
from kanna.cli.progress import Bar
from kanna.cli.running import running
from kanna.errors import UsageError

_LONGEST = 1 << 23  # bytes of stdin: more than any recipe has
folders = option(
    "--models", text="run.option_models", multiple=True, metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip


@click.command("run", cls=Verb)
@click.argument("recipe", metavar="RECIPE|-")
@option("-o", "--output", text="run.option_output", type=str)
@folders
@option("--set", "settings", text="run.option_set", metavar="STEP.NAME=VALUE", multiple=True)
@sweeping
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
    stem = "sweep" if found.path == "-" else Path(found.path).stem
    return carry_out(found.recipe, output, paths, given, stem=stem, as_json=as_json, quiet=quiet,
                     verbose=verbose)  # fmt: skip


def read(recipe: str, settings: tuple[str, ...] = (), sweeps: tuple[str, ...] = ()) -> FoundRecipe:
    """Return the recipe in a file, or the one that comes on stdin where that is ``-``.

    Raises:
        UsageError: it makes no sense.
    """
    text = None
    if recipe == "-":
        text = sys.stdin.buffer.read(_LONGEST)
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
        if source.in_library:
            print_notice("run.in_library", name=name, path=source.path)
        elif source.renamed:
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
