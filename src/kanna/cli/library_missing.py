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
        parts = [part for part in found.parts if part.missing or verbose]
        blocks = [[*_part(part, verbose=verbose)] for part in parts]
        blocks += [[*_model(model, verbose=verbose)] for model in found.models]
        if blocks:
            click.echo("\n\n".join("\n".join(lines) for lines in blocks))
        if not found.missing:
            print_notice("library_missing.nothing", count=len(found.parts))
    return int(found.missing)


def _part(part: api.NeededPart, *, verbose: bool) -> Iterator[str]:
    state = say("library_missing.missing") if part.missing else say("library_missing.there")
    yield f"{styled(shown(part.title), 'bold')}  " + styled(
        state, "red" if part.missing else "green"
    )
    yield f"  {say('library_missing.needed_by', files=_names(part.needed_by, verbose=verbose))}"
    if part.served_by:
        yield f"  {say('library_missing.served_by', files=_names(part.served_by, verbose=verbose))}"
    elif part.inside:
        yield f"  {say('library_missing.inside', files=_names(part.inside, verbose=verbose))}"
    if part.missing or verbose:
        yield from _where(part)


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
    yield f"  {say('library_missing.needed_by', files=_names(model.needed_by, verbose=verbose))}"


def _names(files: Sequence[api.FoundFile], *, verbose: bool) -> str:
    """Return the names of some files, and how many more there are."""
    some = files if verbose else files[:_MANY]
    text = ", ".join(shown(file.name) for file in some)
    left = len(files) - len(some)
    return bracketed(text, say("library_missing.more", count=left)) if left else text
