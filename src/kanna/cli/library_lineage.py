"""`kanna library lineage`: what a model was made of, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from kanna import api
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common, option
from kanna.cli.output import print_json, print_notice, styled
from kanna.errors import UsageError
from kanna.messages import say, shown

_FORMS: Final = ("mermaid", "dot")
_RELATIONS: Final = {
    "merged_from": "library_lineage.merged_from", "made_from": "library_lineage.made_from",
    "trained_on": "library_lineage.trained_on", "vae_of": "library_lineage.vae_of",
    "lora_of": "library_lineage.lora_of",
}  # fmt: skip
_DOUBTS: Final = {
    "likely": "library_lineage.is_likely", "possible": "library_lineage.is_possible",
}  # fmt: skip
_DEEP: Final = 50


@click.command("lineage", cls=Verb, room="library_lineage")
@click.argument("file", metavar="FILE")
@option("--depth", text="library_lineage.option_depth", type=click.IntRange(1, _DEEP), default=8)
@option("--to", "form", text="library_lineage.option_to", type=click.Choice(_FORMS))
@which_library
@common
def lineage(
    file: str, *, depth: int, form: str | None, library: Path | None, as_json: bool, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    """Print the graph around a model as two trees, as JSON, or for a program that draws."""
    if form and as_json:
        raise UsageError("library_lineage.one_form")
    graph = api.library_lineage(file, depth=depth, library=library)
    if as_json:
        print_json(graph.to_json())
    elif form:
        click.echo(api.lineage_drawing(graph, form), nl=False)
    elif not quiet:
        click.echo("\n".join(_lines(graph, verbose=verbose)))
        if graph.cut:
            print_notice("library_lineage.cut")
    return 0


def _lines(graph: api.Lineage, *, verbose: bool) -> Iterator[str]:
    yield styled(_label(graph.nodes[graph.root], verbose=verbose), "bold")
    for up, head in ((True, "library_lineage.made_of"), (False, "library_lineage.used_in")):
        tree = _Tree(graph, up=up, verbose=verbose)
        lines = [*tree.below(graph.root, (graph.root,))]
        if lines:
            yield ""
            yield styled(say(head), "dim")
            yield from lines
    if not graph.edges:
        yield f"  {say('library_lineage.nothing')}"


class _Tree:
    """One half of a lineage as indented lines; what is below a model is shown once."""

    def __init__(self, graph: api.Lineage, *, up: bool, verbose: bool) -> None:
        self._graph, self._up, self._verbose = graph, up, verbose
        self._shown: set[str] = set()

    def below(self, key: str, above: tuple[str, ...]) -> Iterator[str]:
        """Yield the models next to one, each with its own below it; circles are told."""
        self._shown.add(key)
        for edge in self._graph.parents(key) if self._up else self._graph.children(key):
            other = edge.parent if self._up else edge.child
            label = _label(self._graph.nodes[other], verbose=self._verbose)
            again = self._again(other, above)
            text = " · ".join(filter(None, [*_told(edge), again]))
            yield f"{'  ' * len(above)}{label}  {styled(text, 'dim')}".rstrip()
            if not again:
                yield from self.below(other, (*above, other))

    def _again(self, key: str, above: tuple[str, ...]) -> str:
        if key in above:
            return say("library_lineage.circle")
        goes_on = self._graph.parents(key) if self._up else self._graph.children(key)
        return say("library_lineage.again") if key in self._shown and goes_on else ""


def _told(edge: api.LineageEdge) -> Iterator[str]:
    if edge.relation in _RELATIONS:
        yield say(_RELATIONS[edge.relation])
    if edge.certainty in _DOUBTS:
        yield say(_DOUBTS[edge.certainty])


def _label(node: api.LineageNode, *, verbose: bool) -> str:
    if node.file is None:
        known = say("library_lineage.published") if node.known else say("library_lineage.absent")
        return f"{shown(node.name)}  ({known})"
    gone = "" if node.file.present else f"  ({say('library_lineage.gone')})"
    return shown(node.file.path if verbose else node.name) + gone
