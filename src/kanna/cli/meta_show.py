"""`kanna meta show`: the metadata of files, for people, as JSON, or one field as it is."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.meta_report import show_document, show_lines
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import print_notice
from kanna.errors import Incomplete, UsageError
from kanna.messages import shown


@click.command("show", cls=Verb, room="meta_show")
@files
@option("--raw", text="meta_show.option_raw", metavar="KEY")
@option("--thumbnail", text="meta_show.option_thumbnail", type=click.Path(path_type=Path))
@option("--force", text="meta_show.option_force", is_flag=True)
@common
def show(
    files: tuple[Path, ...], *, raw: str | None, thumbnail: Path | None, force: bool,
    as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Show the metadata of every file; a broken one does not stop the others."""
    if thumbnail is not None and len(files) > 1:
        raise UsageError("meta_show.one_picture")
    batch = Batch(as_json=as_json and raw is None, quiet=quiet or raw is not None, spaced=True)
    for path in files:
        with batch.attempt(path):
            if thumbnail is not None:
                api.write_thumbnail(path, thumbnail, force=force)
                if not quiet:
                    print_notice("meta_show.written", path=thumbnail)
            if raw is not None:
                _print_raw(path, raw)
            elif thumbnail is None or as_json:
                found = api.read_metadata(path)
                batch.add(show_document(found), partial(show_lines, found, verbose=verbose))
    return batch.close(several=len(files) > 1)


def _print_raw(path: Path, key: str) -> None:
    """Print a value byte for byte; on a terminal, without what would steer it."""
    fields = api.read_metadata(path).fields
    value = fields.get(key, fields.get(f"modelspec.{key}"))
    if value is None:
        raise Incomplete("meta.no_such_field", path=path, key=key)
    if sys.stdout.isatty():
        value = "".join(c if c.isprintable() or c in "\n\t" else shown(c) for c in value)
    click.echo(value.encode("utf-8", "surrogatepass"))
