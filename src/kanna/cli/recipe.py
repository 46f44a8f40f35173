"""`kanna recipe`: recipes, read, checked and shown."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.api import FoundRecipe, SourceFile
from kanna.cli.batch import Batch
from kanna.cli.groups import verb_group
from kanna.cli.options import ModelPath, Verb, common
from kanna.cli.output import print_json
from kanna.cli.progress import Bar
from kanna.cli.recipe_report import recipe_document, recipe_lines
from kanna.cli.run import folders, look_for, read, tell_of
from kanna.errors import Incompatible, Incomplete
from kanna.messages import shown

recipe = verb_group(
    "recipe",
    {
        "check": "kanna.cli.recipe:check",
        "show": "kanna.cli.recipe:show",
        "of": "kanna.cli.recipe:of",
    },
)


@click.command("check", cls=Verb, room="recipe_check")
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True)
@folders
@common
def check(
    recipes: tuple[str, ...], *, models: tuple[Path, ...], as_json: bool, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    """Say whether each recipe makes sense and, with folders, whether its files are there."""
    return _tell(recipes, models, brief=True, as_json=as_json, quiet=quiet, verbose=verbose)


@click.command("show", cls=Verb, room="recipe_show")
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True)
@folders
@common
def show(
    recipes: tuple[str, ...], *, models: tuple[Path, ...], as_json: bool, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    """Show what each recipe does, and where its files are."""
    return _tell(recipes, models, brief=False, as_json=as_json, quiet=quiet, verbose=verbose)


def _tell(
    recipes: tuple[str, ...], models: tuple[Path, ...], *, brief: bool, as_json: bool, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    """Tell of each recipe; in `brief` files are looked for only in `models`, and must be there."""
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    for path in recipes:
        with batch.attempt(path):
            found = read(path)
            looked = bool(models) or not brief
            sources = _looked_for(found, models, hidden=quiet or as_json) if looked else {}
            lines = partial(recipe_lines, found, sources, brief=brief, verbose=verbose)
            code = _code(sources) if brief else 0
            batch.add(recipe_document(found, sources), lines, code=code)
    return batch.close(several=len(recipes) > 1)


@click.command("of", cls=Verb, room="recipe_of")
@click.argument("file", metavar="FILE", type=ModelPath())
@common
def of(file: Path, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Print the recipe that a model carries."""
    del verbose
    found = api.recipe_of(file)
    if as_json:
        print_json(recipe_document(found, {}))
        return 0
    if not quiet:
        tell_of(found)
    if sys.stdout.isatty():  # names in it are a stranger's
        lines = (line if line.isprintable() else shown(line) for line in found.text.split("\n"))
        click.echo("\n".join(lines), nl=False)
    else:
        click.echo(found.text.encode(), nl=False)  # TOML is UTF-8, whatever the system speaks
    return 0


def _looked_for(
    found: FoundRecipe, models: tuple[Path, ...], *, hidden: bool
) -> dict[str, SourceFile]:
    with Bar("sha256", hidden=hidden) as bar:
        return look_for(found, models, bar, hidden=hidden)


def _code(sources: dict[str, SourceFile]) -> int:
    """Return the exit code of what was looked for and not found."""
    states = {source.state for source in sources.values()}
    if "other" in states:
        return Incompatible.exit_code
    return Incomplete.exit_code if "missing" in states else 0
