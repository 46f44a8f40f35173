"""`kanna explain`: the page that people look up in wikis."""

from __future__ import annotations

import click

from kanna import api
from kanna.cli.explain_report import page_lines
from kanna.cli.options import Verb, common
from kanna.cli.output import print_json


@click.command("explain", cls=Verb)
@click.argument("words", metavar="WORD...", nargs=-1, required=True)
@common
def explain(words: tuple[str, ...], *, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Print a page for everything that the words can mean."""
    word = " ".join(words)
    pages = api.explain(word)
    if as_json:
        print_json({"word": word, "pages": [api.page_document(page) for page in pages]})
    elif not quiet:
        blocks = ["\n".join(page_lines(page, verbose=verbose)) for page in pages]
        click.echo("\n\n\n".join(blocks))
