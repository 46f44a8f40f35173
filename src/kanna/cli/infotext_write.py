"""`kanna infotext write`: texts put into pictures, whose images are not touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.infotext_change_report import change_document, change_lines
from kanna.cli.infotext_options import (
    ANY_PATH,
    are_several,
    encoding_option,
    expanded,
    infotext_files,
    is_folder,
    options_of,
)
from kanna.cli.options import Verb, common, option


@click.command("write", cls=Verb, room="infotext_write")
@infotext_files
@option("-o", "--output", text="infotext_write.option_output", required=True)
@option("--to", "picture", text="infotext_write.option_to", type=ANY_PATH)
@option("-r", "--recursive", text="infotext.option_recursive", is_flag=True)
@option("--force", text="infotext.option_force", is_flag=True)
@option("--dry-run", text="infotext.option_dry_run", is_flag=True)
@encoding_option
@common
def write(files: tuple[Path, ...], *, output: str, picture: Path | None, **given: Any) -> int:
    """Write a picture for every text; a failure of one does not stop the others."""
    sources = expanded(files, api.TEXT_SUFFIXES, recursive=given["recursive"])
    folder = are_several(files) or is_folder(output)
    jobs = api.written_pictures(sources, picture, output, folder=folder)
    options = api.infotext_batch(options_of(given), [job.output for job in jobs])
    batch = Batch(as_json=given["as_json"], quiet=given["quiet"], total=len(jobs))
    for job in jobs:
        with batch.attempt(job.text):
            made = api.write_infotext(job.text, job.output, picture=job.picture, options=options)
            batch.add(change_document(made), change_lines(made, verbose=given["verbose"]))
    return batch.close(several=are_several(files), summary="infotext.summary")
