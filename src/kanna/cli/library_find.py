"""`kanna library find`: models by words and by what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.library_filters import AskingVerb, chosen, filters, model_row, with_gone
from kanna.cli.library_options import which_library
from kanna.cli.options import common, option
from kanna.cli.output import print_json, print_notice, styled, table
from kanna.messages import say, shown, size_text


@click.command("find", cls=AskingVerb, room="library_find")
@filters
@with_gone
@option("--sort", text="library_find.option_sort", type=click.Choice(api.SORTS), default="name")
@option("--limit", text="library_find.option_limit", type=click.IntRange(1))
@option("--count", "counted", text="library_find.option_count", is_flag=True)
@which_library
@common
def find(
    words: tuple[str, ...], *, sort: Any, limit: int | None, counted: bool, library: Path | None,
    as_json: bool, quiet: bool, verbose: bool, **given: Any,
) -> int:  # fmt: skip
    """Print the models that fit, one to a line."""
    options = chosen(words, given)
    if counted:
        number = api.library_count(options, library=library)
        print_json({"count": number}) if as_json else click.echo(number)
        return 0
    found = api.library_find(options, sort=sort, limit=limit, library=library)
    if as_json:
        print_json([file.to_json() for file in found])
        return int(not found)
    rows = [[shown(one.path)] if quiet else _row(one, verbose=verbose) for one in found]
    lines = [row[0] for row in rows] if quiet else table(rows, right=(0, 4), indent=0)
    if lines:
        click.echo("\n".join(lines))
    if not quiet:
        print_notice("library_find.found", count=len(found))
    return int(not found)


def _row(file: api.FoundFile, *, verbose: bool) -> list[str]:
    *what, name = model_row(file, verbose=verbose)
    if file.error:
        what = [styled(say("library_find.broken"), "red"), "", ""]
    marks = [f"+{shown(tag)}" for tag in file.tags]
    gone = [] if file.present else [say("library_find.gone")]
    more = [styled(" ".join([*marks, *gone]), "cyan")] if marks or gone else []
    wrong = [shown(file.error_text)] if file.error_text else []
    return [f"#{file.id}", *what, size_text(file.size), styled(name, "bold"),
            "  ".join([*more, *wrong])]  # fmt: skip
