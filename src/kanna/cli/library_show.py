"""`kanna library show`: everything that the library knows of a model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common
from kanna.cli.output import count_text, styled, table, wrapped
from kanna.families import title
from kanna.messages import say, shown, size_text

_MOST: Final = 5  # other files that are named


@click.command("show", cls=Verb, room="library_show")
@click.argument("names", metavar="FILE...", nargs=-1, required=True)
@which_library
@common
def show(
    names: tuple[str, ...], *, library: Path | None, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Show what the library knows of each model; one that it does not know stops no other."""
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    for name in names:
        with batch.attempt(name):
            found = api.library_show(name, library=library)
            batch.add(found.to_json(), partial(known_lines, found, verbose=verbose))
    return batch.close(several=len(names) > 1)


def known_lines(found: api.KnownModel, *, verbose: bool) -> Iterator[str]:
    """Yield the lines on one model."""
    state = "" if found.present else "  " + styled(say("library_show.gone"), "yellow")
    yield styled(f"#{found.facts['id']}  {shown(found.path)}", "bold") + state
    rows = [[styled(say(f"library_show.{key}"), "dim"), text] for key, text in _facts(found)]
    yield from table(rows)
    if found.error:
        yield "  " + styled(wrapped(shown(found.error_text or found.error), 2), "red")
    for part in found.parts if verbose or len(found.parts) > 1 else ():
        yield f"    {_part(part)}"
    yield from _elsewhere(found, verbose=verbose)
    for line in str(found.facts.get("note", "")).splitlines():
        yield f"  {styled('│', 'cyan')} {wrapped(shown(line), 4)}"


def _facts(found: api.KnownModel) -> Iterator[tuple[str, str]]:
    facts = found.facts
    if facts.get("title"):
        yield "title", shown(facts["title"])
    yield "what", _what(found)
    yield "size", f"{size_text(facts['size'])}  {_date(facts['modified'])}"
    if found.findings:
        yield "findings", ", ".join(found.findings)
    for digest in ("sha256", "data_sha256", "autov1"):
        if digest in found.digests:
            yield digest, found.digests[digest]
    if not found.digests.get("sha256"):
        yield "hashes", say("library_show.not_hashed")
    if found.tags:
        yield "tags", styled(" ".join(f"+{shown(tag)}" for tag in found.tags), "cyan")
    names = dict.fromkeys(name for name, _ in found.aliases)
    if names:
        yield "aliases", ", ".join(map(shown, names))
    for one in found.origins:
        words = (one.name and shown(one.name), one.digest and one.digest[:16])
        yield f"origin_{one.relation}", "  ".join(word for word in words if word)


def _what(found: api.KnownModel) -> str:
    """Return kind, architecture and precision in one line."""
    facts = found.facts
    architecture = facts.get("architecture")
    words = [
        say(f"inspect.part_{facts['kind']}") if facts.get("kind") else say("library_show.unread"),
        title(architecture) if architecture else "", facts.get("variant"),
        facts.get("quantization") or facts.get("dtype"), facts.get("container"),
        count_text(facts["parameters"]) if facts.get("parameters") else "",
    ]  # fmt: skip
    return " · ".join(shown(word) for word in words if word)


def _part(part: api.LibraryPart) -> str:
    words = [say(f"inspect.part_{part.role}"),
             title(part.architecture) if part.architecture else "", part.dtype,
             size_text(part.bytes)]  # fmt: skip
    return " · ".join(shown(word) for word in words if word)


def _elsewhere(found: api.KnownModel, *, verbose: bool) -> Iterator[str]:
    """Yield where else the same file, data or part is."""
    pairs = [("library_show.same", found.same), ("library_show.same_data", found.same_data)]
    pairs += [("library_show.same_part", part.also_in) for part in found.parts if part.also_in]
    for key, paths in pairs:
        for path in paths if verbose else paths[:_MOST]:
            yield "  " + say(key, path=path)
        if len(paths) > _MOST and not verbose:
            yield "  " + say("library_show.more", count=len(paths) - _MOST)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
