"""`kanna families`: what kanna knows, on one list."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kanna import api
from kanna.cli.family_page import parameter_counts, parameters_text
from kanna.cli.options import Verb, common
from kanna.cli.output import print_json, styled, table, width, wrapped
from kanna.cli.report import facts_lines
from kanna.errors import UnknownModel
from kanna.families.dossier import Dossier, all_needs
from kanna.messages import say


@click.command("families", cls=Verb)
@click.argument("words", metavar="[WORD]...", nargs=-1)
@common
def families(words: tuple[str, ...], *, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Print the families in which every word is found."""
    del verbose
    found = api.families(words)
    if not found:
        raise UnknownModel("families.none", words=" ".join(words))
    if as_json:
        print_json([_entry(page) for page in found])
    elif not quiet:
        click.echo("\n".join([*_list(found), "", f"  {say('families.more')}"]))


def _entry(page: Dossier) -> dict[str, object]:
    counts = parameter_counts(page)
    own = {need.word for need in page.needs}
    return {
        "name": page.name,
        "title": page.title,
        "kinds": page.kinds,
        "variants": list(dict.fromkeys(word for row in page.traits for word in row.words)),
        "parameters": [min(counts), max(counts)] if counts else None,
        "released": page.facts.released,
        "needs": [need.word for need in page.needs],
        "variants_need": [word for word in all_needs(page) if word not in own],
    }


def _list(found: Sequence[Dossier]) -> list[str]:
    """Return the diffusion models as a table, then the words of all other kinds."""
    models = [page for page in found if "diffusion_model" in page.kinds]
    lines = _models(models) if models else []
    rows: dict[str, list[str]] = {}
    for page in found:
        if page not in models:
            rows.setdefault(page.kinds[0], []).append(page.name)
    if rows:
        others = [[say(f"inspect.part_{kind}"), ", ".join(names)] for kind, names in rows.items()]
        lines += [*[""] * bool(lines), say("families.others"), *facts_lines(others)]
    return lines


def _models(pages: Sequence[Dossier]) -> list[str]:
    """Return a line for each family, and one for its variants."""
    head = [say(f"families.column_{name}") for name in ("word", "title", "parameters")]
    rows = [[page.name, page.title, parameters_text(page)] for page in pages]
    longest = [max(width(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    margin = sum(longest) + 2 * len(longest) + 2
    first, *others = table([head, *rows], right=(2,))
    first += " " * (margin - width(first)) + say("families.column_needs")
    lines = [styled(first, "dim")]
    for page, line in zip(pages, others, strict=True):
        needs = wrapped(_needs(page), margin)
        lines.append((line + " " * (margin - width(line)) + needs).rstrip())
        words = dict.fromkeys(word for row in page.traits for word in row.words)
        if words:
            lines.append(styled("    " + wrapped(", ".join(words), 4), "dim"))
    return lines


def _needs(page: Dossier) -> str:
    """Return the parts that all variants need, and those of some in brackets."""
    own = [need.word for need in page.needs]
    some = [word for word in all_needs(page) if word not in own]
    return " ".join(filter(None, [", ".join(own), f"({', '.join(some)})" if some else ""]))
