"""`kanna library trash`: models to the trash, with all that belongs to them."""

from __future__ import annotations

from typing import Any

import click

from kanna import api
from kanna.cli.library_filing import filing, names, run_filing
from kanna.cli.options import Verb


@click.command("trash", cls=Verb, room="library_trash")
@names
@filing
def trash(names: tuple[str, ...], **given: Any) -> int:
    """Put models with their companions in the trash."""
    return run_filing(
        lambda bar: api.plan_filing("trash", names, library=given["library"], progress=bar), given
    )
