"""`kanna infotext strip`: what tells how a picture was made, taken out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.infotext_change_report import change_document, change_lines
from kanna.cli.infotext_options import (
    are_several,
    destinations,
    expanded,
    infotext_files,
    options_of,
    writing,
)
from kanna.cli.options import Verb, common, option


@click.command("strip", cls=Verb, room="infotext_strip")
@infotext_files
@option("--all", "everything", text="infotext_strip.option_all", is_flag=True)
@option("--stealth", text="infotext_strip.option_stealth", is_flag=True)
@writing
@common
def strip(files: tuple[Path, ...], *, everything: bool, **given: Any) -> int:
    """Strip every picture; a failure of one does not stop the others."""
    sources = expanded(files, recursive=given["recursive"])
    targets = destinations(files, sources, given)
    batch = Batch(as_json=given["as_json"], quiet=given["quiet"])
    for source, target in zip(sources, targets, strict=True):
        with batch.attempt(source.path):
            made = api.strip_infotext(
                source.path, target, everything=everything, options=options_of(given)
            )
            batch.add(change_document(made), change_lines(made, verbose=given["verbose"]))
    return batch.close(several=are_several(files), summary="infotext.summary")
