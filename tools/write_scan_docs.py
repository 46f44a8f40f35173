"""Write docs/scan.md and docs/scan.ja.md from the rules of `kanna scan` and their messages.

For developers: ``python tools/write_scan_docs.py``; a test says when the pages are out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kanna.messages import say, set_language
from kanna.scan.rules import RULES

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": DOCS / "scan.md", "ja": DOCS / "scan.ja.md"}


def page(language: str) -> str:
    """Return the page in `language`."""
    set_language(language)
    try:
        return "\n".join(_lines())
    finally:
        set_language(None)


def _lines() -> Iterator[str]:
    yield f"# {say('scan.page_title')}"
    yield ""
    yield say("scan.page_intro")
    for chapter in "1234":
        yield ""
        yield f"## {say(f'scan.page_chapter_{chapter}')}"
        for rule in RULES.values():
            if rule.code[2] == chapter:
                yield ""
                yield f"### {rule.code} · {say(f'scan.{rule.verdict}')} · {rule.title}"
                yield ""
                yield rule.why
    yield ""


if __name__ == "__main__":
    for language, path in PAGES.items():
        path.write_text(page(language), encoding="utf-8")
