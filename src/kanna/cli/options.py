"""Options that every verb understands, and arguments that many share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from kanna.messages import say

Command = TypeVar("Command", bound=Callable[..., Any])


def option(*names: str, text: str, **settings: Any) -> Callable[[Command], Command]:
    """Return a click option whose help is the message `text`."""
    return click.option(*names, help=say(text), **settings)


def common(command: Command) -> Command:
    """Add ``--json``, ``-q``, ``-v`` and ``--lang`` to a verb."""
    for decorate in (
        option("--lang", text="cli.option_lang", type=click.Choice(["en", "ja"]),
               expose_value=False),
        option("-v", "--verbose", text="cli.option_verbose", is_flag=True),
        option("-q", "--quiet", text="cli.option_quiet", is_flag=True),
        option("--json", "as_json", text="cli.option_json", is_flag=True),
    ):  # fmt: skip
        command = decorate(command)
    return command


files = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
