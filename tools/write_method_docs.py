"""Write docs/methods.md and docs/methods.ja.md from the rows of merge methods.

For developers: ``python tools/write_method_docs.py``; a test says when the pages are out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kanna.cli.method_texts import default_text, example_words, needs_text, range_text
from kanna.families.pages import spoken
from kanna.merging.method import Method, built_in
from kanna.messages import say, set_language

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": DOCS / "methods.md", "ja": DOCS / "methods.ja.md"}


def page(language: str) -> str:
    """Return the page in `language`."""
    set_language(language)
    try:
        return "\n".join(_lines()) + "\n"
    finally:
        set_language(None)


def _lines() -> Iterator[str]:
    yield f"# {say('methods.page_title')}\n"
    yield f"{say('methods.page_other')}\n"
    yield say("methods.page_intro")
    for kind in ("linear", "elementwise", "tensor"):
        yield f"\n## {say(f'methods.kind_{kind}')}"
        for method in built_in().values():
            if method.kind == kind:
                yield from _method(method)


def _method(method: Method) -> Iterator[str]:
    yield f"\n### {method.name}: {spoken(method.title)}\n"
    yield f"{spoken(method.summary)}\n"
    yield f"- {say('methods.row_needs')}: {needs_text(method)}"
    yield f"- {say('methods.row_formula')}: `{method.formula}`"
    if method.random:
        yield f"- {say('methods.row_random')}: {say('methods.random')}"
    if method.aliases:
        yield f"- {say('methods.row_aliases')}: {', '.join(f'`{one}`' for one in method.aliases)}"
    yield f"- {say('methods.row_sources')}: {'; '.join(method.sources)}"
    yield f"- `{' '.join(example_words(method))}`"
    if method.parameters:
        yield ""
        heads = ("parameter", "default", "range", "text")
        yield _row([say(f"methods.column_{one}") for one in heads])
        yield _row(["---"] * 4)
        for one in method.parameters:
            values = range_text(one).replace("|", "\\|")
            yield _row([f"`{one.name}`", default_text(one), values, spoken(one.text)])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for language, path in PAGES.items():
        path.write_text(page(language), encoding="utf-8")
        print(path)
