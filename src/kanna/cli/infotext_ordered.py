"""A verb whose options do their work in the order in which they were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from kanna.cli.options import Verb

_ORDER: Final = "kanna.order"


class OrderedVerb(Verb):
    """A verb that remembers in which order its options came, which click does not tell."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and keep the names of the options that were given, one for each time."""
        ctx.meta[_ORDER] = [*self._given(args)]
        return super().parse_args(ctx, args)

    def _given(self, args: Sequence[str]) -> Iterator[str]:
        options = {name: one for one in self.params if isinstance(one, click.Option)
                   for name in one.opts}  # fmt: skip
        at = 0
        while at < len(args) and args[at] != "--":
            word, attached, _ = args[at].partition("=")
            at += 1
            if (found := options.get(word)) is not None:
                yield str(found.name)
                at += 0 if found.is_flag else found.nargs - len(attached)


def in_order(values: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the values of options that may be given several times, as they were given."""
    waiting = {name: iter(given) for name, given in values.items()}
    for name in click.get_current_context().meta[_ORDER]:
        if name in waiting:
            yield name, next(waiting[name])
