"""`kanna library dupes`: what is there more than once, and what that takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.cli.library_filters import AskingVerb, chosen, filters
from kanna.cli.library_options import which_library
from kanna.cli.options import common, option
from kanna.cli.output import print_json, print_notice, styled, table
from kanna.families import title
from kanna.messages import say, shown, size_text

_MANY: Final = 8  # models with a part inside that are named without -v
_SAID: Final = {
    "file": "library_dupes.same_file", "data": "library_dupes.same_data",
    "header": "library_dupes.same_header",
    "twin": "library_dupes.same_twin", "possible": "library_dupes.same_possible",
}  # fmt: skip
_REASONS: Final = {
    "tagged": "library_dupes.reason_tagged", "active": "library_dupes.reason_active",
    "header": "library_dupes.reason_header", "named": "library_dupes.reason_named",
    "first": "library_dupes.reason_first", "path": "library_dupes.reason_path",
}  # fmt: skip


@click.command("dupes", cls=AskingVerb, room="library_dupes")
@filters
@option("--parts", text="library_dupes.option_parts", is_flag=True)
@which_library
@common
def dupes(
    words: tuple[str, ...], *, parts: bool, library: Path | None, as_json: bool, quiet: bool,
    verbose: bool, **given: Any,
) -> int:  # fmt: skip
    """Print the groups of equal models, then the parts that models share."""
    found = api.library_dupes(chosen(words, given), parts=parts, library=library)
    if as_json:
        print_json(found.to_json())
    elif not quiet:
        blocks = [[*_group(group)] for group in found.groups]
        blocks += [[*_shared(part, verbose=verbose)] for part in found.parts]
        if blocks:
            click.echo("\n\n".join("\n".join(lines) for lines in blocks))
        _sum_up(found)
    return int(any(group.bytes for group in found.groups))


def _group(group: api.SameFiles) -> Iterator[str]:
    first, *others = group.files
    won = f"  {say('library_dupes.wins', size=size_text(group.bytes))}" if group.bytes else ""
    head = say(_SAID[group.sameness], count=len(group.files))
    yield styled(head, "bold") + styled(won, "green")
    if group.reason:
        keep = say("library_dupes.keep", reason=say(_REASONS[group.reason]))
        yield f"  {styled(keep, 'dim')}  {shown(first.path)}"
        rows = [[size_text(one.size), shown(one.path)] for one in others]
    else:
        rows = [
            [size_text(one.size), one.quantization or one.dtype or "", shown(one.path)]
            for one in group.files
        ]
    yield from table(rows, right=(0,))
    for path in group.links:
        yield f"  {styled(say('library_dupes.link', path=path), 'dim')}"
    for path in group.changed:
        yield f"  {styled(say('library_dupes.changed', path=path), 'dim')}"


def _shared(part: api.SharedPart, *, verbose: bool) -> Iterator[str]:
    role = " ".join(filter(None, [title(part.architecture or "") or "",
                                  say(f"inspect.part_{part.role}")]))  # fmt: skip
    head = say("library_dupes.part", part=role, count=len(part.holders))
    won = say("library_dupes.split_wins", size=size_text(part.bytes))
    yield f"{styled(head, 'bold')}  {won}  {styled(part.digest[:12], 'dim')}"
    some = part.holders if verbose else part.holders[:_MANY]
    yield from table([[size_text(h.bytes), h.dtype or "", shown(h.file.path)] for h in some],
                     right=(0,))  # fmt: skip
    if len(some) < len(part.holders):
        yield f"  {say('library_dupes.more', count=len(part.holders) - len(some))}"


def _sum_up(found: api.Dupes) -> None:
    if not found.groups and not found.parts:
        print_notice("library_dupes.none")
    if found.bytes:
        print_notice("library_dupes.total", size=size_text(found.bytes))
    if found.unhashed:
        print_notice("library_dupes.unhashed", count=found.unhashed)
    if found.unparted:
        print_notice("library_dupes.unparted", count=found.unparted)
