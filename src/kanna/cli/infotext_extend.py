"""`kanna infotext extend`: the full digests of the models of a picture, added to its text."""

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
    encoding_option,
    expanded,
    infotext_files,
    options_of,
    writing,
)
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common, option


@click.command("extend", cls=Verb, room="infotext_extend")
@infotext_files
@option("--by-name", text="infotext_extend.option_by_name", is_flag=True)
@which_library
@writing
@encoding_option
@common
def extend(
    files: tuple[Path, ...], *, by_name: bool, library: Path | None, **given: Any
) -> int:  # fmt: skip
    """Extend every file; a failure of one does not stop the others."""
    sources = expanded(files, recursive=given["recursive"])
    targets = destinations(files, sources, given)
    batch = Batch(as_json=given["as_json"], quiet=given["quiet"])
    with api.infotext_extender(api.LookOptions(library=library), by_name=by_name) as change:
        for source, target in zip(sources, targets, strict=True):
            with batch.attempt(source.path):
                made = change(source.path, target, options_of(given))
                lines = change_lines(made, verbose=given["verbose"], difference=given["dry_run"])
                batch.add(change_document(made), lines)
    return batch.close(several=are_several(files), summary="infotext.summary")
