"""`kanna library move`: models to another folder, with all that belongs to them."""

from __future__ import annotations

from typing import Any

import click

from kanna import api
from kanna.cli.library_filing import destination, filing, names, run_filing
from kanna.cli.options import Verb


@click.command("move", cls=Verb, room="library_move")
@names
@destination
@filing
def move(names: tuple[str, ...], *, to: str, on_conflict: Any, **given: Any) -> int:
    """Move models with their companions."""
    return run_filing(
        lambda bar: api.plan_filing("move", names, to=to, on_conflict=on_conflict,
                                    library=given["library"], progress=bar),
        given,
    )  # fmt: skip
