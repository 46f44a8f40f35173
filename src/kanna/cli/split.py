"""`kanna split`: take a checkpoint apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import SplitOptions, Splitting
from kanna.cli.batch import Batch
from kanna.cli.options import Verb, common, files, option
from kanna.cli.progress import Bar
from kanna.cli.running import by_part, dtypes_by_role, run_options, running
from kanna.cli.split_report import split_document, split_lines
from kanna.errors import UsageError

# what makes sense of a diffusers folder alone, and of parts alone
_OF_FOLDERS = ("shard_size", "tokenizers", "prediction", "allow_missing")
_OF_PARTS = ("program", "only")


@click.command("split", cls=Verb)
@files
@option("-o", "--output", text="split.option_output", type=click.Path(path_type=Path))
@option("--to", "target", text="split.option_to", type=click.Choice(["parts", "diffusers"]),
        default="parts")  # fmt: skip
@option("--for", "program", text="split.option_for",
        type=click.Choice(api.part_programs("split")))  # fmt: skip
@option("--only", text="split.option_only", multiple=True, metavar="PART")
@by_part
@option("--prune", text="split.option_prune", is_flag=True)
@option("--shard-size", text="split.option_shard_size", metavar="SIZE")
@option("--tokenizers", text="split.option_tokenizers", type=click.Path(path_type=Path))
@option("--prediction", text="split.option_prediction", metavar="WORD")
@option("--allow-missing", text="split.option_allow_missing", is_flag=True)
@running
@common
def split(
    files: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Take every file apart; a failure of one does not stop the others."""
    _check(given)
    work = _to_diffusers(given) if given["target"] == "diffusers" else _to_parts(given)
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    protected = list(files)
    for path in files:
        with batch.attempt(path):
            with Bar(path.name, hidden=quiet or as_json) as bar:
                made = work(path, protected=protected, progress=bar)
            protected += made.files
            batch.add(split_document(made), partial(split_lines, made, verbose=verbose))
    return batch.close(several=len(files) > 1)


def _check(given: dict[str, Any]) -> None:
    """Refuse options that are for the other kind of output.

    Raises:
        UsageError: there is one.
    """
    wrong = _OF_PARTS if given["target"] == "diffusers" else _OF_FOLDERS
    names = {"program": "--for"}
    for name in wrong:
        if given[name]:
            shown = names.get(name, f"--{name.replace('_', '-')}")
            raise UsageError("split.not_for_that", option=shown, target=given["target"])


def _to_parts(given: dict[str, Any]) -> Callable[..., Splitting]:
    options = SplitOptions(
        program=given["program"] or "comfyui", only=given["only"], prune=given["prune"],
        dtype=given["dtype"], dtypes=dtypes_by_role(given), digest=not given["no_hash"],
    )  # fmt: skip
    return partial(api.split, folder=given["output"], options=options, **_run(given))


def _to_diffusers(given: dict[str, Any]) -> Callable[..., Splitting]:
    size = given["shard_size"]
    options = api.FolderOptions(
        **({"shard_size": api.parse_size(size)} if size else {}), prune=given["prune"],
        tokenizers=given["tokenizers"], prediction=given["prediction"],
        allow_missing=given["allow_missing"], dtype=given["dtype"], dtypes=dtypes_by_role(given),
        digest=not given["no_hash"],
    )  # fmt: skip
    return partial(api.split_to_diffusers, folder=given["output"], options=options, **_run(given))


def _run(given: dict[str, Any]) -> dict[str, Any]:
    return {"dry_run": given["dry_run"], "run_options": run_options(given)}
