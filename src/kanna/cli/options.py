"""Verbs and options whose help is a message, looked up when it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kanna import api
from kanna.errors import UsageError
from kanna.messages import LANGUAGES, say

Command = TypeVar("Command", bound=Callable[..., Any])


class Spoken(click.Option):
    """An option whose help text is the key of a message."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's spelling and its help."""
        key, self.help = self.help, say(self.help or "")
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = key


class Verb(click.Command):
    """A verb: its help and examples are the messages ``VERB.help`` and ``VERB.examples``.

    A verb under another one has a `room` of messages of its own: ``meta_show``.
    """

    def __init__(self, *arguments: Any, room: str = "", **settings: Any) -> None:
        """Make the verb; its texts are in `room`, or in the room of its name."""
        super().__init__(*arguments, **settings)
        self.room = room or self.name

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=say("cli.usage_prefix"))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the verb does."""
        self.help = say(f"{self.room}.help")
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        records = [record for o in options if (record := o.get_help_record(ctx))]
        with formatter.section(say("cli.options")):
            formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line of its own, so that it can be copied."""
        # click wraps no paragraph that begins with this sign
        self.epilog = "\n\n".join(f"\b\n{e}" for e in say(f"{self.room}.examples").split("\n\n"))
        super().format_epilog(ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``, explained in the language in force."""
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = say("cli.option_help")
        return found


def option(*names: str, text: str, **settings: Any) -> Callable[[Command], Command]:
    """Return a click option whose help is the message `text`."""
    return click.option(*names, cls=Spoken, help=text, **settings)


def language(command: Command) -> Command:
    """Add ``--lang``, which takes effect before any option is parsed."""
    add = option("--lang", text="cli.option_lang", type=click.Choice(LANGUAGES), expose_value=False)
    return add(command)


def common(command: Command) -> Command:
    """Add ``--json``, ``-q``, ``-v`` and ``--lang`` to a verb."""
    for decorate in (
        language,
        option("-v", "--verbose", text="cli.option_verbose", is_flag=True),
        option("-q", "--quiet", text="cli.option_quiet", is_flag=True),
        option("--json", "as_json", text="cli.option_json", is_flag=True),
    ):  # fmt: skip
        command = decorate(command)
    return command


class ModelPath(click.Path):
    """A path, or the URL of a file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return either one as a path; the verb says what is wrong with it.

        Raises:
            UsageError: it is a URL of a kind that nobody here reads.
        """
        del param, ctx
        path, (scheme, mark, _) = api.as_path(value), str(value).partition("://")
        if mark and scheme.isalnum() and len(scheme) > 1 and mark not in str(path):
            raise UsageError("cli.no_such_scheme", url=value, scheme=f"{scheme}://")
        return path


files = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=ModelPath())
