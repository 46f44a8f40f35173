"""`kanna which`: from a digest, a file or a picture to the models that it may be or name."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.options import Verb, common, option
from kanna.cli.progress import Bar
from kanna.cli.which_report import answer_document, answer_lines

_STDIN = "-"
_LONGEST = 64 << 20  # bytes of stdin: workflows with pictures inside reach a tenth of it


@click.command("which", cls=Verb)
@click.argument("asked", metavar="DIGEST|PICTURE|TEXT|FILE...", nargs=-1, required=True)
@option(
    "--library",
    text="which.option_library",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
)
@option("--no-library", text="which.option_no_library", is_flag=True)
@option("--no-cache", text="which.option_no_cache", is_flag=True)
@common
def which(
    asked: tuple[str, ...], *, library: Path | None, no_library: bool, no_cache: bool,
    as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Look up each digest, picture or file; one that is none does not stop the others."""
    look = api.LookOptions(library=library, in_library=not no_library, in_cache=not no_cache)
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    for text in asked:
        with batch.attempt(text):
            if text == _STDIN or api.names_models(text):
                _picture(batch, text, look, verbose=verbose)
            else:
                with Bar(text, hidden=as_json or quiet) as bar:
                    _digest(batch, text, look, bar, verbose=verbose)
    return batch.close(several=len(asked) > 1)


def _digest(batch: Batch, text: str, look: api.LookOptions, bar: Bar, *, verbose: bool) -> None:
    options = api.HashOptions(cache=look.in_cache)
    answer = api.which(text, options, look=look, progress=bar)
    lines = partial(answer_lines, answer, verbose=verbose)
    batch.add(answer_document(answer), lines, code=int(not answer.found))


def _picture(batch: Batch, text: str, look: api.LookOptions, *, verbose: bool) -> None:
    from kanna.cli.which_picture import picture_document, picture_lines

    given = sys.stdin.buffer.read(_LONGEST) if text == _STDIN else None
    found = api.models_of_picture(text, look, text=given)
    lines = partial(picture_lines, found, in_library=look.in_library, verbose=verbose)
    batch.add(picture_document(found), lines, code=int(not found.found))
