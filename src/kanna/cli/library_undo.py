"""`kanna library undo`: what was moved, renamed or thrown away, back where it was."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.library_filing import filing, run_filing, settled, settled_documents
from kanna.cli.options import Verb, option
from kanna.cli.output import print_json, print_notice, table
from kanna.errors import UsageError
from kanna.messages import say, shown

_LAST = "last"


@click.command("undo", cls=Verb, room="library_undo")
@click.argument("which", metavar="[N|last]", default=_LAST)
@option("--list", "listing", text="library_undo.option_list", is_flag=True)
@option("--resume", text="library_undo.option_resume", is_flag=True)
@filing
def undo(which: str, *, listing: bool, resume: bool, **given: Any) -> int:
    """Take back a filing, list all of them, or bring to an end what was broken off."""
    if listing:
        return _list(given)
    if resume:
        return _resume(given)
    if which != _LAST and not (which.isascii() and which.isdecimal()):
        raise UsageError("library_undo.bad_number", text=which)
    number = None if which == _LAST else int(which)
    if number is None and not given["dry_run"]:
        ended = settled(given)
        if any(one.end == "taken_back" for one in ended):  # that was the last one
            if given["as_json"]:
                print_json(settled_documents(ended))
            return 0
    return run_filing(
        lambda bar: api.plan_unfiling(number, library=given["library"], progress=bar), given
    )


def _resume(given: dict[str, Any]) -> int:
    ended = settled(given)
    if given["as_json"]:
        print_json(settled_documents(ended))
    elif not ended and not given["quiet"]:
        print_notice("library_undo.nothing_left")
    return 0


def _list(given: dict[str, Any]) -> int:
    past = api.past_filings(library=given["library"])
    if given["as_json"]:
        print_json([_document(one) for one in past])
    elif not past:
        print_notice("library_undo.none")
    else:
        click.echo("\n".join(table([_row(one) for one in past], right=(0,), indent=0)))
    return 0


def _row(one: api.PastFiling) -> list[str]:
    when = datetime.fromtimestamp(one.when).astimezone().strftime("%Y-%m-%d %H:%M")
    first = one.files[0][0] if one.files else Path()
    more = len(one.files) - 1
    files = say("library_undo.row_more", path=first, count=more) if more > 0 else shown(first)
    return [str(one.number), when, one.verb, say(f"library_undo.state_{one.state}"), files]


def _document(one: api.PastFiling) -> dict[str, object]:
    return {
        "number": one.number, "verb": one.verb, "when": one.when, "state": one.state,
        "undoable": one.undoable,
        "files": [{"source": os.fspath(old), "destination": None if new is None else os.fspath(new)}
                  for old, new in one.files],
    }  # fmt: skip
