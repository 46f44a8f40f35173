"""`kanna infotext search`: pictures by what they say of how they were made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.cli.counting import Count
from kanna.cli.infotext_options import ANY_PATH
from kanna.cli.infotext_report import DIALECTS, whole
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common, option
from kanna.cli.output import print_json, print_notice, styled
from kanna.errors import UsageError
from kanna.messages import say, shown

_LONGEST: Final = 240  # letters of a prompt that are shown without -v


@click.command("search", cls=Verb, room="infotext_search")
@click.argument("words", metavar="[WORD...]", nargs=-1)
@option("--negative", text="infotext_search.option_negative", default="", metavar="WORDS")
@option("--model", text="infotext_search.option_model", default="", metavar="NAME|HASH")
@option("--lora", text="infotext_search.option_lora", default="", metavar="NAME|HASH")
@option("--seed", text="infotext_search.option_seed", type=int)
@option("--sampler", text="infotext_search.option_sampler", default="")
@option("--in", "folders", text="infotext_search.option_in", multiple=True, metavar="FOLDER",
        type=ANY_PATH)  # fmt: skip
@which_library
@option("-n", "--limit", text="infotext_search.option_limit", type=click.IntRange(1), default=100)
@common
def search(
    words: tuple[str, ...], *, seed: int | None, folders: tuple[Path, ...],
    library: Path | None, limit: int, as_json: bool, quiet: bool, verbose: bool, **asked: Any,
) -> int:  # fmt: skip
    """List the newest pictures that fit; exit code 1 where none does."""
    question = api.ImageQuestion(words=_typed(words), seed="" if seed is None else str(seed),
                                 **asked)  # fmt: skip
    if question == api.ImageQuestion():
        raise UsageError("infotext_search.nothing")
    with closing(Count(hidden=as_json or quiet)) as count:
        found = api.search_infotexts(
            question, folders or None, options=api.LookOptions(library=library), limit=limit,
            progress=count,
        )  # fmt: skip
    if as_json:
        print_json([_document(one) for one in found])
    elif not quiet:
        for one in found:
            click.echo("\n".join(_lines(one, verbose=verbose)))
        if len(found) in {0, limit}:
            key = "more" if found else "none"
            print_notice(f"infotext_search.{key}", count=len(found))
    return int(not found)


def _typed(words: tuple[str, ...]) -> str:
    """Return words as one question; what the shell's quotes held together is a phrase."""
    return " ".join(f'"{word}"' if " " in word and '"' not in word else word for word in words)


def _lines(one: api.FoundImage, *, verbose: bool) -> Iterator[str]:
    yield styled(shown(one.path), "bold")
    facts = [
        DIALECTS.get(one.dialect or "", ""), *(shown(m.name or m.digest) for m in one.models),
        shown(one.sampler or ""), f"{say('infotext.row_seed')} {one.seed}" if one.seed else "",
    ]  # fmt: skip
    yield "  " + styled(" · ".join(filter(None, facts)), "dim")
    if one.prompt:
        yield from (f"  {line}" for line in whole(one.prompt, most=None if verbose else _LONGEST))


def _document(one: api.FoundImage) -> dict[str, object]:
    plain = {
        field.name: getattr(one, field.name)
        for field in fields(one) if field.name not in {"id", "path", "models"}
    }  # fmt: skip
    models = [
        {"role": m.role, "name": m.name or None, "digest": m.digest or None, "weight": m.weight}
        for m in one.models
    ]
    return {"path": str(one.path), **plain, "models": models}
