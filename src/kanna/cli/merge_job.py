"""A recipe carried out, for `kanna merge` and `kanna run`: one output, or one for each point."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.merge_report import merge_document, merge_lines
from kanna.cli.options import Command, option
from kanna.cli.progress import Bar
from kanna.cli.running import run_options
from kanna.cli.sweep_report import sweep_code, sweep_document, sweep_lines
from kanna.merging.recipe import Recipe


def sweeping(command: Command) -> Command:
    """Add ``--sweep``, ``--together`` and ``--device``."""
    for decorate in (
        option("--device", text="merge.option_device", metavar="DEVICE", default="cpu"),
        option("--together", text="run.option_together", type=click.IntRange(1, 64), default=8),
        option("--sweep", "sweeps", text="run.option_sweep", metavar="NAME=FIRST:LAST:STEP",
               multiple=True),
    ):  # fmt: skip
        command = decorate(command)
    return command


def carry_out(
    recipe: Recipe, output: str, paths: Mapping[str, Path], given: Mapping[str, Any], *,
    stem: str, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Make what `recipe` says of the files at `paths`, tell of it, and return the exit code.

    `stem` is what the outputs of a sweep are called where `output` is a folder.
    """
    batch, hidden = Batch(as_json=as_json, quiet=quiet), quiet or as_json
    asked = {"device": given["device"], "hash_inputs": not given["no_hash"],
             "dry_run": given["dry_run"], "run_options": run_options(given)}  # fmt: skip
    with Bar("sha256", hidden=hidden) as hashing, Bar(Path(output).name, hidden=hidden) as bar:
        if recipe.axes:
            target = api.sweep_target(output, stem, recipe.output.container)
            options = api.SweepOptions(together=given["together"], **asked)
            all_made = api.sweep(recipe, target, paths, options, progress=bar,
                                 hash_progress=hashing)  # fmt: skip
            batch.add(sweep_document(all_made), partial(sweep_lines, all_made, verbose=verbose),
                      code=sweep_code(all_made))  # fmt: skip
        else:
            made = api.merge(recipe, output, found=paths, progress=bar, hash_progress=hashing,
                             **asked)  # fmt: skip
            batch.add(merge_document(made), partial(merge_lines, made, verbose=verbose))
    return batch.close(several=False)
