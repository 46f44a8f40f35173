"""What was changed in the texts of a file: one line for people, a difference, a JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from difflib import unified_diff
from typing import Final

from kanna import api
from kanna.cli.infotext_report import whole
from kanna.cli.outcome import note_documents
from kanna.cli.output import note_line, styled
from kanna.messages import say, shown
from kanna.pictures.picture import PictureText

_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}
_LONG_LINE: Final = 200  # letters; a workflow is one line of many thousands


def change_document(made: api.InfotextChange) -> dict[str, object]:
    """Return a change as a JSON document."""
    output = made.destination or made.path
    return {
        "path": str(made.path),
        "output": str(output),
        "in_place": made.destination is None,
        "changed": made.changed,
        "dry_run": made.dry_run,
        "size": made.size,
        "before": [api.text_document(text) for text in made.before],
        "after": [api.text_document(text) for text in made.after],
        "notes": note_documents(made.notes),
    }


def change_lines(
    made: api.InfotextChange, *, verbose: bool, difference: bool = False
) -> Callable[[], Iterator[str]]:
    """Return what yields the lines on a change; with `difference`, what differs in the texts."""

    def lines() -> Iterator[str]:
        yield _headline(made)
        if difference or verbose:
            yield from _difference(made)
        yield from map(note_line, made.notes)

    return lines


def _headline(made: api.InfotextChange) -> str:
    path = made.destination or made.path
    if not made.changed:
        return styled(say("infotext.unchanged", path=made.path), "dim")
    if made.dry_run:
        return say("infotext.planned", path=path)
    return f"{styled('✓', 'green', 'bold')} " + say("infotext.written", path=path)


def _difference(made: api.InfotextChange) -> Iterator[str]:
    before, after = (_by_place(texts, made) for texts in (made.before, made.after))
    for place in dict.fromkeys([*before, *after]):
        old, new = before.get(place, ""), after.get(place, "")
        if old != new:
            head = [f"  --- {place}", f"  +++ {place}"]
            yield from (styled(line, "bold") for line in head)
            yield from _hunks(_lines_of(old, new))


def _hunks(sides: tuple[list[str], list[str]]) -> Iterator[str]:
    for number, line in enumerate(unified_diff(*sides, lineterm="")):
        if number > 1:  # the first two name the files
            style = _STYLES.get(line[0])
            text = "".join(whole(line[1:]))
            yield "  " + (styled(line[0] + text, style) if style else line[0] + text)


def _lines_of(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return two texts as lines; JSON that is one line comes out folded."""
    if max(map(len, [*old.splitlines(), *new.splitlines(), ""])) > _LONG_LINE:
        folded = _folded(old), _folded(new)
        if None not in folded:
            old, new = map(str, folded)
    return old.splitlines(), new.splitlines()


def _folded(text: str) -> str | None:
    try:
        return json.dumps(json.loads(text or "null"), ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        return None


def _by_place(texts: tuple[PictureText, ...], made: api.InfotextChange) -> dict[str, str]:
    """Return texts by a name of their place; of those that share one, all together."""
    named: dict[str, str] = {}
    for text in texts:
        name = shown(f"{text.place} {text.keyword}".strip() if made.in_picture else made.path)
        named[name] = f"{named[name]}\n{text.text}" if name in named else text.text
    return named
