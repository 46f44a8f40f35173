"""`kanna infotext expand`: many texts of one JSON file with lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.infotext_options import ANY_PATH, encoding_option, options_of
from kanna.cli.infotext_report import whole
from kanna.cli.options import Verb, common, option
from kanna.errors import UsageError
from kanna.messages import say


@click.command("expand", cls=Verb, room="infotext_expand")
@click.argument("files", metavar="FILE.json...", nargs=-1, required=True,
                type=ANY_PATH)  # fmt: skip
@option("-o", "--output", text="infotext_expand.option_output", metavar="FOLDER")
@option("--png", text="infotext_expand.option_png", is_flag=True)
@option("--force", text="infotext.option_force", is_flag=True)
@option("--dry-run", text="infotext.option_dry_run", is_flag=True)
@encoding_option
@common
def expand(files: tuple[Path, ...], *, output: str | None, png: bool, **given: Any) -> int:
    """Expand every file; a failure of one does not stop the others."""
    if output is None and not given["dry_run"]:
        raise UsageError("infotext_expand.no_output")
    batch = Batch(as_json=given["as_json"], quiet=given["quiet"], spaced=True)
    for path in files:
        with batch.attempt(path):
            made = api.expand_infotext(path, output or ".", as_png=png, options=options_of(given))
            batch.add(_document(made), partial(_lines, made))
    return batch.close(several=len(files) > 1, summary="infotext.summary")


def _lines(made: api.Expansion) -> Iterator[str]:
    count = len(made.texts)
    if not made.dry_run:
        yield say("infotext_expand.done", path=made.path, count=count,
                  folder=made.outputs[0].parent)  # fmt: skip
        return
    yield say("infotext_expand.would", path=made.path, count=count)
    yield from (f"    {line}" for line in whole(made.texts[0]))


def _document(made: api.Expansion) -> dict[str, object]:
    files = [
        {"output": str(output), "text": text}
        for output, text in zip(made.outputs, made.texts, strict=True)
    ]
    return {"path": str(made.path), "dry_run": made.dry_run, "count": len(files), "files": files}
