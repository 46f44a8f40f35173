"""Write docs/checks.md and docs/checks.ja.md from the rules and their messages.

For developers: ``python tools/write_check_docs.py``; a test says when the pages are out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kanna.findings.rules import CHAPTERS, RULES
from kanna.findings.values import PURPOSES, Rule
from kanna.messages import say, set_language

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": DOCS / "checks.md", "ja": DOCS / "checks.ja.md"}
SETTINGS = """```toml
[check]
for = "generation"
select = ["KN1", "KN2", "KN301"]
ignore = ["KN812"]
```"""


def page(language: str) -> str:
    """Return the page in `language`."""
    set_language(language)
    try:
        return "\n".join(_lines()) + "\n"
    finally:
        set_language(None)


def _lines() -> Iterator[str]:
    yield f"# {_word('title')}\n"
    yield f"{_word('other')}\n"
    yield f"{_word('intro')}\n"
    yield SETTINGS
    for chapter in CHAPTERS:
        yield f"\n## {chapter}: {say(f'findings.chapter_{chapter}')}"
        for rule in RULES.values():
            if rule.code.startswith(chapter):
                yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    code = rule.code.lower()
    counted = [_word(purpose) for purpose in PURPOSES if purpose in rule.purposes]
    purposes = _word("between").join(counted) or _word("all")
    deep = " · *deep*" if rule.deep else ""
    yield f"\n### {rule.code} {say(f'findings.{code}_title')}\n"
    yield (
        f"`{rule.name}` · {_word('severity')}: {_word(rule.severity)} · "
        f"{_word('purposes')}: {purposes}{deep}\n"
    )
    yield f"**{_word('why')}**: {say(f'findings.{code}_why')}\n"
    yield f"**{_word('fix')}**: {say(f'findings.{code}_fix')}"


def _word(name: str) -> str:
    return say(f"findings.page_{name}")


if __name__ == "__main__":
    for language, path in PAGES.items():
        path.write_text(page(language), encoding="utf-8")
        print(path)
