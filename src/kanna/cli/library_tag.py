"""`kanna library tag` and `note`: what people say of a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from kanna import api
from kanna.cli.library_options import which_library
from kanna.cli.library_show import known_lines
from kanna.cli.options import Verb, common, option
from kanna.cli.output import print_json, print_notice, styled
from kanna.errors import UsageError
from kanna.messages import say, shown


@click.command("tag", cls=Verb, room="library_tag")
@click.argument("words", metavar="FILE... [+TAG]...", nargs=-1, required=True)
@option("--remove", text="library_tag.option_remove", metavar="TAG", multiple=True)
@option("--dry-run", text="library_tag.option_dry_run", is_flag=True)
@which_library
@common
def tag(
    words: tuple[str, ...], *, remove: tuple[str, ...], dry_run: bool, library: Path | None,
    as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Give models tags, and take tags away."""
    del verbose
    add = [word[1:] for word in words if word.startswith("+")]
    names = [word for word in words if not word.startswith("+")]
    if not names or not (add or remove):
        raise UsageError("library_tag.nothing")
    done = api.library_tag(names, add=add, remove=remove, dry_run=dry_run, library=library)
    if as_json:
        print_json([{"path": str(one.path), "tags": list(one.tags), "changed": one.changed}
                    for one in done])  # fmt: skip
    elif not quiet:
        click.echo("\n".join(_lines(done)))
        if dry_run:
            print_notice("library_tag.would")
    return 0


@click.command("note", cls=Verb, room="library_note")
@click.argument("file", metavar="FILE")
@click.argument("text", metavar="[TEXT]", required=False)
@option("--remove", text="library_note.option_remove", is_flag=True)
@option("--dry-run", text="library_tag.option_dry_run", is_flag=True)
@which_library
@common
def note(
    file: str, *, text: str | None, remove: bool, dry_run: bool, library: Path | None,
    as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Write a note on a model, take it away, or show the one that it has."""
    if remove and text is not None:
        raise UsageError("library_note.one_of_both")
    if text is None and not remove:
        found = api.library_show(file, library=library)
    else:
        found = api.library_note(file, text, dry_run=dry_run, library=library)
    if as_json:
        print_json(found.to_json())
    elif not quiet:
        click.echo("\n".join(known_lines(found, verbose=verbose)))
        if dry_run:
            print_notice("library_tag.would")
    return 0


def _lines(done: list[api.Tagged]) -> Iterator[str]:
    for one in done:
        tags = " ".join(f"+{shown(word)}" for word in one.tags)
        yield f"{shown(one.path)}  " + (styled(tags, "cyan") or say("library_tag.none"))
