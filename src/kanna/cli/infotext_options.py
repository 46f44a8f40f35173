"""Options that the verbs of `kanna infotext` share, and what they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.cli.options import Command, option
from kanna.cli.output import print_notice
from kanna.errors import Incomplete, UsageError

# What cannot be read is told where it is opened, in words of ours, and stops no other file.
ANY_PATH: Final = click.Path(readable=False, path_type=Path)
infotext_files = click.argument(
    "files", metavar="FILE|FOLDER...", nargs=-1, required=True, type=ANY_PATH
)


def encoding_option(command: Command) -> Command:
    """Add ``--encoding``."""
    add = option("--encoding", text="infotext.option_encoding", default="utf-8",
                 type=click.Choice(api.ENCODINGS))  # fmt: skip
    return add(command)


def writing(command: Command) -> Command:
    """Add ``-o``, ``--in-place``, ``--force``, ``--dry-run`` and ``-r``."""
    for decorate in (
        option("--dry-run", text="infotext.option_dry_run", is_flag=True),
        option("--force", text="infotext.option_force", is_flag=True),
        option("--in-place", text="infotext.option_in_place", is_flag=True),
        option("-o", "--output", text="infotext.option_output"),
        option("-r", "--recursive", text="infotext.option_recursive", is_flag=True),
    ):
        command = decorate(command)
    return command


def expanded(
    paths: Iterable[Path], suffixes: Iterable[str] | None = None, *, recursive: bool
) -> list[api.InfotextSource]:
    """Return the files that `paths` stand for, folders gone through.

    Raises:
        Incomplete: there is not one.
    """
    paths = list(paths)
    found = api.infotext_sources(paths, suffixes or api.PICTURE_SUFFIXES, recursive=recursive)
    if not found:
        raise Incomplete("infotext.no_files", path=paths[0])
    return found


def are_several(paths: Sequence[Path]) -> bool:
    """Whether a list tells of `paths`: more than one was named, or a folder."""
    return len(paths) > 1 or os.path.isdir(paths[0])  # noqa: PTH112 - Path.is_dir raises where a name is too long


def destinations(
    paths: Sequence[Path], sources: Sequence[api.InfotextSource], given: Mapping[str, Any]
) -> list[Path | None]:
    """Return where what is made of each source goes; None stands for the source itself.

    Raises:
        UsageError: nothing or too much was said of it, or two outputs would be one file.
    """
    output, in_place = given["output"], given["in_place"]
    if output is not None and in_place:
        raise UsageError("infotext.output_and_in_place")
    if output is None:
        if not in_place and not given["dry_run"]:
            raise UsageError("infotext.no_output")
        return [None] * len(sources)
    return [*api.infotext_outputs(sources, output, folder=are_several(paths) or is_folder(output))]


def is_folder(output: str) -> bool:
    """Whether an output names a folder: it is one, or it ends like one."""
    return output.endswith(("/", os.sep)) or os.path.isdir(output)  # noqa: PTH112 - likewise


def options_of(given: Mapping[str, Any]) -> api.InfotextOptions:
    """Return how a change is made, of the options that `writing` adds."""
    return api.InfotextOptions(
        encoding=given.get("encoding", "utf-8"), force=given["force"], dry_run=given["dry_run"],
        stealth=given.get("stealth", False),
    )  # fmt: skip


def tell_silent(count: int, given: Mapping[str, Any]) -> None:
    """Tell how many files in folders were passed over, because they say nothing."""
    if count and not given["quiet"]:
        print_notice("infotext.silent_files", count=count)
