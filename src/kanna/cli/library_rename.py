"""`kanna library rename`: another name for a model and all that belongs to it."""

from __future__ import annotations

from typing import Any

import click

from kanna import api
from kanna.cli.library_filing import filing, run_filing
from kanna.cli.options import Verb


@click.command("rename", cls=Verb, room="library_rename")
@click.argument("name", metavar="FILE")
@click.argument("stem", metavar="NAME")
@filing
def rename(name: str, stem: str, **given: Any) -> int:
    """Give a model and its companions another name."""
    return run_filing(
        lambda bar: api.plan_filing("rename", [name], stem=stem, library=given["library"],
                                    progress=bar),
        given,
    )  # fmt: skip
