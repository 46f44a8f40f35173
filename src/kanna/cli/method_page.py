"""The page of `kanna explain` about a merge method."""

from __future__ import annotations

from collections.abc import Iterator

from kanna.cli.method_texts import (
    default_text,
    example_words,
    needs_text,
    range_text,
    text_of,
)
from kanna.cli.output import command_line, styled, table, width, wrapped
from kanna.cli.page_texts import text_lines
from kanna.cli.report import facts_lines
from kanna.merging.method import Method
from kanna.messages import say


def method_lines(method: Method) -> list[str]:
    """Return the page as lines."""
    return [
        f"{styled(text_of(method.title), 'bold')}  {styled(text_of(method.name), 'dim')}",
        *text_lines([text_of(method.summary)]),
        "",
        *facts_lines(list(_rows(method))),
        *_parameters(method),
        "",
        styled(_label("section_example"), "bold"),
        f"  {command_line(example_words(method))}",
    ]


def _rows(method: Method) -> Iterator[list[str]]:
    if method.formula:
        yield [_label("row_formula"), text_of(method.formula)]
    if method.formula_of_many:
        yield [_label("row_formula_of_many"), text_of(method.formula_of_many)]
    yield [_label("row_needs"), needs_text(method)]
    yield [_label("row_kind"), _label(f"kind_{method.kind}")]
    if method.random:
        yield [_label("row_random"), _label("random")]
    if method.aliases:
        yield [_label("row_aliases"), text_of(", ".join(method.aliases))]
    for number, source in enumerate(method.sources):
        yield ["" if number else _label("row_sources"), text_of(source)]


def _parameters(method: Method) -> list[str]:
    """Return the parameters as a table, the text on each beside it, folded under itself."""
    if not method.parameters:
        return []
    head = [_label(f"column_{name}") for name in ("parameter", "default", "range")]
    rows = [[one.name, default_text(one), range_text(one)] for one in method.parameters]
    first, *lines = table([head, *rows])
    margin = max(map(width, (first, *lines))) + 2
    texts = [wrapped(text_of(one.text), margin) for one in method.parameters]
    body = [f"{line}{' ' * (margin - width(line))}{text}".rstrip()
            for line, text in zip(lines, texts, strict=True)]  # fmt: skip
    return ["", styled(_label("section_parameters"), "bold"), styled(first, "dim"), *body]


def _label(name: str) -> str:
    return say(f"methods.{name}")
