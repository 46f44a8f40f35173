"""`kanna meta set` and `kanna meta strip`: the header rewritten, the weights left alone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import EditOptions, RunOptions
from kanna.cli.batch import Batch
from kanna.cli.meta_report import edit_document, edit_lines
from kanna.cli.options import Command, Verb, common, files, option
from kanna.cli.progress import Bar
from kanna.errors import UsageError

_path = click.Path(path_type=Path)
Edit = Callable[[Path, EditOptions, Bar], api.Edited]


def _written(force: str) -> Callable[[Command], Command]:
    """Add the options of everything that writes; `force` is the key of what ``--force`` does."""

    def decorate(command: Command) -> Command:
        for add in (
            option("--force", text=force, is_flag=True),
            option("--dry-run", text="convert.option_dry_run", is_flag=True),
            option("--verify", text="meta.option_verify", default="header",
                   type=click.Choice(api.words("verify"))),
            option("--sidecar", text="meta.option_sidecar", is_flag=True),
            option("-o", "--output", text="meta.option_output"),
        ):  # fmt: skip
            command = add(command)
        return command

    return decorate


@click.command("set", cls=Verb, room="meta_set")
@click.argument("words", metavar="FILE... [KEY=VALUE...]", nargs=-1)
@option("--from", "source", text="meta_set.option_from", type=_path)
@option("--thumbnail", text="meta_set.option_thumbnail", type=_path)
@option("--modelspec", text="meta_set.option_modelspec", is_flag=True)
@option("--no-hash", text="meta_set.option_no_hash", is_flag=True)
@option("--import", "take_over", text="meta_set.option_import", multiple=True,
        type=click.Choice(["all", *api.COMPANIONS]))  # fmt: skip
@_written("meta.option_force")
@common
def set_(
    words: tuple[str, ...], *, source: Path | None, thumbnail: Path | None, modelspec: bool,
    no_hash: bool, take_over: tuple[str, ...], **given: Any,
) -> int:  # fmt: skip
    """Set fields of every file; a failure of one does not stop the others."""
    paths, fields = _sorted(words)
    if not paths:
        raise UsageError("meta_set.no_file")
    if not (fields or source or thumbnail or modelspec or take_over):
        raise UsageError("meta_set.nothing")
    read = api.read_fields(source) if source is not None else {}
    sources = api.COMPANIONS if "all" in take_over else take_over

    def edit(path: Path, options: EditOptions, bar: Bar) -> api.Edited:
        return api.set_metadata(
            path, read | fields, thumbnail=thumbnail, modelspec=modelspec, digest=not no_hash,
            take_over=sources, options=options, progress=bar,
        )  # fmt: skip

    return _edit_all(paths, edit, given)


@click.command("strip", cls=Verb, room="meta_strip")
@files
@option("--key", "keys", text="meta_strip.option_key", multiple=True)
@option("--private", text="meta_strip.option_private", is_flag=True)
@option("--all", "everything", text="meta_strip.option_all", is_flag=True)
@_written("meta_strip.option_force")
@common
def strip(
    files: tuple[Path, ...], *, keys: tuple[str, ...], private: bool, everything: bool,
    **given: Any,
) -> int:  # fmt: skip
    """Take fields out of every file; a failure of one does not stop the others."""
    if not (keys or private or everything):
        raise UsageError("meta_strip.nothing")

    def edit(path: Path, options: EditOptions, bar: Bar) -> api.Edited:
        return api.strip_metadata(path, keys, everything=everything, private=private,
                                  options=options, progress=bar)  # fmt: skip

    return _edit_all(files, edit, given)


def _sorted(words: tuple[str, ...]) -> tuple[list[Path], dict[str, str]]:
    """Tell files from ``KEY=VALUE``: a file that is there is one, whatever its name.

    Raises:
        UsageError: a key is given twice.
    """
    paths: list[Path] = []
    fields: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not re.fullmatch(r"[\w.-]+", key) or os.path.lexists(word):
            paths.append(api.as_path(word))
        elif key in fields:
            raise UsageError("meta_set.twice", key=key)
        else:
            fields[key] = value
    return paths, fields


def _edit_all(files: list[Path] | tuple[Path, ...], edit: Edit, given: dict[str, Any]) -> int:
    output, several = given["output"], len(files) > 1
    if several and output is not None and not (output.endswith("/") or os.path.isdir(output)):  # noqa: PTH112
        raise UsageError("meta.one_output")
    as_json, quiet, verbose = given["as_json"], given["quiet"], given["verbose"]
    batch = Batch(as_json=as_json, quiet=quiet)
    options = EditOptions(
        destination=output, sidecar=given["sidecar"], dry_run=given["dry_run"],
        protected=tuple(files) if output is not None else (),
        run_options=RunOptions(force=given["force"], verify=given["verify"]),
    )  # fmt: skip
    for path in files:
        with batch.attempt(path):
            with Bar(path.name, hidden=quiet or as_json) as bar:
                made = edit(path, options, bar)
            batch.add(edit_document(made), partial(edit_lines, made, verbose=verbose))
    return batch.close(several=several, summary="meta.summary")
