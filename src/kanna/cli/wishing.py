"""What becomes of the output of a merge: options of verbs that merge, and the `Wish` they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from kanna import api
from kanna.cli.options import Command, option
from kanna.cli.running import by_part, dtypes_by_role
from kanna.errors import UsageError
from kanna.merging.recipe import Wish

_USUAL: Final = Wish()


def wishing(command: Command) -> Command:
    """Add ``--ema``, ``--prune``, ``--position-ids``, ``--to`` and the dtypes."""
    for decorate in (
        by_part,
        option("--to", "container", text="convert.option_to",
               type=click.Choice(api.words("container"))),
        option("--position-ids", text="merge.option_position_ids", default=_USUAL.position_ids,
               type=click.Choice(api.words("position_ids"))),
        option("--prune", text="convert.option_prune", is_flag=True),
        option("--ema", text="merge.option_ema", type=click.Choice(["drop", "keep"]),
               default=_USUAL.ema),
    ):  # fmt: skip
        command = decorate(command)
    return command


def wish_of(given: Mapping[str, Any]) -> Wish:
    """Return what is wanted of the output, of the options that `wishing` adds."""
    return Wish(
        container=given["container"], dtype=given["dtype"], dtypes=dtypes_by_role(given),
        ema=given["ema"], prune=given["prune"], position_ids=given["position_ids"],
    )  # fmt: skip


def numbers_in(option: str, text: str | None) -> list[float]:
    """Return the numbers that `option` was given, with commas between them.

    Raises:
        UsageError: one is none.
    """
    try:
        return [float(word) for word in text.split(",")] if text else []
    except ValueError as error:
        raise UsageError("merge.bad_numbers", option=option, given=text) from error
