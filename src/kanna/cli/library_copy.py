"""`kanna library copy`: models to another folder too, with all that belongs to them."""

from __future__ import annotations

from typing import Any

import click

from kanna import api
from kanna.cli.library_filing import destination, filing, names, run_filing
from kanna.cli.options import Verb


@click.command("copy", cls=Verb, room="library_copy")
@names
@destination
@filing
def copy(names: tuple[str, ...], *, to: str, on_conflict: Any, **given: Any) -> int:
    """Copy models with their companions."""
    return run_filing(
        lambda bar: api.plan_filing("copy", names, to=to, on_conflict=on_conflict,
                                    library=given["library"], progress=bar),
        given,
    )  # fmt: skip
