"""`kanna methods`: every way of merging, on one list."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from kanna import api
from kanna.cli.method_texts import needs_text, parameters_text, text_of
from kanna.cli.options import Verb, common
from kanna.cli.output import note_line, print_json, styled, table, wrapped
from kanna.errors import UnknownModel
from kanna.merging.method import Method
from kanna.messages import say

_KINDS = ("linear", "elementwise", "tensor")


@click.command("methods", cls=Verb)
@click.argument("words", metavar="[WORD]...", nargs=-1)
@common
def methods(words: tuple[str, ...], *, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Print the merge methods in which every word is found."""
    del verbose
    found = api.merge_methods(words)
    for note in found.notes:
        sys.stderr.write(note_line(note) + "\n")
    if not found.methods:
        raise UnknownModel("methods.none", words=" ".join(words))
    if as_json:
        print_json([api.method_document(method) for method in found.methods])
    elif not quiet:
        click.echo("\n".join([*_list(found.methods), f"  {say('methods.more')}"]))


def _list(found: Sequence[Method]) -> Iterator[str]:
    """Yield the methods by what they need of the machine."""
    heads = [[method.name, needs_text(method)] for method in found]
    lines = dict(zip((method.name for method in found), table(heads), strict=True))
    for kind in _KINDS:
        some = [method for method in found if method.kind == kind]
        if some:
            yield styled(say(f"methods.kind_{kind}"), "bold")
            for method in some:
                yield from _entry(method, lines[method.name])
            yield ""


def _entry(method: Method, line: str) -> Iterator[str]:
    yield line
    yield "    " + wrapped(text_of(method.summary), 4)
    if method.parameters:
        yield styled("    " + wrapped(parameters_text(method), 4), "dim")
