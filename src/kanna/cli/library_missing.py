"""`kanna library missing`: parts that models need and that no folder has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.cli.library_filters import AskingVerb, chosen, filters
from kanna.cli.library_options import which_library
from kanna.cli.options import common
from kanna.cli.output import bracketed, print_json, print_notice, styled
from kanna.families import title
from kanna.messages import say, shown

_MANY: Final = 3


@click.command("missing", cls=AskingVerb, room="library_missing")
@filters
@which_library
@common
def missing(
    words: tuple[str, ...], *, library: Path | None, as_json: bool, quiet: bool, verbose: bool,
    **given: Any,
) -> int:  # fmt: skip
    """Print what is missing; with -v also what is there for each need."""
    found = api.library_missing(chosen(words, given), library=library)
    if as_json:
        print_json(found.to_json())
    elif not quiet:
        parts = [part for part in found.parts if verbose or not part.is_there]
        blocks = [[*_part(part, verbose=verbose)] for part in parts]
        blocks += [[*_model(model, verbose=verbose)] for model in found.models]
        if blocks:
            click.echo("\n\n".join("\n".join(lines) for lines in blocks))
        if not found.missing:
            there = sum(part.is_there for part in found.parts)
            print_notice("library_missing.nothing", count=there)
    return int(found.missing)


def _part(part: api.NeededPart, *, verbose: bool) -> Iterator[str]:
    yield f"{styled(shown(part.title), 'bold')}  {_state(part)}"
    yield from _listed("library_missing.needed_by", part.needed_by, verbose=verbose)
    if part.served_by:
        yield from _listed("library_missing.served_by", part.served_by, verbose=verbose)
    elif part.inside:
        yield from _listed("library_missing.inside", part.inside, verbose=verbose)
    if verbose or not part.is_there:
        yield from _listed("library_missing.possible", part.possible, verbose=verbose)
    if part.missing or verbose:
        yield from _where(part)


def _state(part: api.NeededPart) -> str:
    if part.missing:
        return styled(say("library_missing.missing"), "red")
    if part.is_there:
        return styled(say("library_missing.there"), "green")
    return styled(say("library_missing.perhaps"), "yellow")


def _where(part: api.NeededPart) -> Iterator[str]:
    if part.names:
        yield f"  {say('library_missing.called', names=', '.join(part.names))}"
    for place in part.places:
        if place.repository:
            yield f"  {say('library_missing.from', repository=place.repository)}"
    for known in part.published:
        yield f"  {say('library_missing.published', name=known.name, sha256=known.sha256)}"


def _model(model: api.NeededModel, *, verbose: bool) -> Iterator[str]:
    name = title(model.architecture)
    yield styled(say("library_missing.no_model", family=name), "bold")
    yield from _listed("library_missing.needed_by", model.needed_by, verbose=verbose)


def _listed(key: str, files: Sequence[api.FoundFile], *, verbose: bool) -> Iterator[str]:
    """Yield what is said of some files and their names, with `verbose` the paths of all."""
    if not files:
        return
    if verbose:
        yield f"  {say(key)}:"
        yield from (f"    {shown(file.path)}" for file in files)
        return
    names = ", ".join(shown(file.name) for file in files[:_MANY])
    left = len(files) - _MANY
    listed = bracketed(names, say("library_missing.more", count=left)) if left > 0 else names
    yield f"  {say(key)}: {listed}"
