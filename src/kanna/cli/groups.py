"""A verb that has verbs of its own, such as `kanna meta show`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from kanna.cli.options import Verb, language
from kanna.errors import UsageError
from kanna.messages import say


class VerbGroup(Verb, click.Group):
    """A verb whose own verbs are imported only when they are named.

    `members` maps each to its module and attribute, as ``VERBS`` does; the texts of one are in the
    room ``GROUP_MEMBER``.
    """

    def __init__(self, name: str, members: Mapping[str, str], **settings: Any) -> None:
        """Make the group called `name`."""
        super().__init__(name, invoke_without_command=True, callback=_help, **settings)
        self._members = members

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the members in the order of a user's work."""
        del ctx
        return list(self._members)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a member."""
        del ctx
        if cmd_name not in self._members:
            return None
        module, _, attribute = self._members[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the members, then the options."""
        members = [(member, say(f"{self.name}_{member}.short")) for member in self._members]
        with formatter.section(say("cli.verbs")):
            formatter.write_dl(members)
        super().format_options(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the member, or say which one may have been meant.

        Raises:
            UsageError: there is no such member.
        """
        if args and args[0] not in self._members and not args[0].startswith("-"):
            verb, names = f"{self.name} {args[0]}", [*self._members]
            near = get_close_matches(args[0], names, n=1) or names[:1]
            raise UsageError("cli.unknown_verb_near", verb=verb, near=f"{self.name} {near[0]}")
        return super().resolve_command(ctx, args)


def verb_group(name: str, members: Mapping[str, str]) -> VerbGroup:
    """Return the group `name` of these `members`, with ``--lang``."""
    return language(VerbGroup(name, members))


@click.pass_context
def _help(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
