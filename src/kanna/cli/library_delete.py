"""`kanna library delete`: models and all that belongs to them, for good."""

from __future__ import annotations

import sys
from typing import Any

import click

from kanna import api
from kanna.cli.library_filing import filing, names, run_filing
from kanna.cli.options import Verb, option
from kanna.errors import UsageError
from kanna.messages import say, size_text


@click.command("delete", cls=Verb, room="library_delete")
@names
@option("--yes", "-y", text="library_delete.option_yes", is_flag=True)
@filing
def delete(names: tuple[str, ...], *, yes: bool, **given: Any) -> int:
    """Delete models with their companions."""

    def ask(planned: api.FilingPlan) -> bool:
        return yes or _confirmed(planned, as_json=given["as_json"])

    return run_filing(
        lambda bar: api.plan_filing("delete", names, library=given["library"], progress=bar),
        given, ask,
    )  # fmt: skip


def _confirmed(planned: api.FilingPlan, *, as_json: bool) -> bool:
    """Ask a person.

    Raises:
        UsageError: nobody is there.
    """
    steps = [step for one in planned.todo for step in one.steps if step.action == "remove"]
    if as_json or not sys.stdin.isatty():
        raise UsageError("library_delete.not_asked", count=len(steps))
    size = size_text(sum(step.size for step in steps))
    return click.confirm(say("library_delete.ask", count=len(steps), size=size), err=True)
