"""`kanna split`: take a checkpoint apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import RunOptions, SplitOptions, Splitting
from kanna.cli.batch import Batch
from kanna.cli.options import Verb, common, files, option
from kanna.cli.progress import Bar
from kanna.cli.split_report import split_document, split_lines
from kanna.dtypes import TARGETS
from kanna.errors import UsageError

_dtype = click.Choice(TARGETS)
_ROLES = {"unet": "diffusion_model", "te": "text_encoder", "vae": "vae", "ema": "ema"}
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
@option("--dtype", text="convert.option_dtype", type=_dtype)
@option("--unet-dtype", text="convert.option_unet_dtype", type=_dtype)
@option("--te-dtype", text="convert.option_te_dtype", type=_dtype)
@option("--vae-dtype", text="convert.option_vae_dtype", type=_dtype)
@option("--ema-dtype", text="convert.option_ema_dtype", type=_dtype)
@option("--prune", text="split.option_prune", is_flag=True)
@option("--shard-size", text="split.option_shard_size", metavar="SIZE")
@option("--tokenizers", text="split.option_tokenizers", type=click.Path(path_type=Path))
@option("--prediction", text="split.option_prediction", metavar="WORD")
@option("--allow-missing", text="split.option_allow_missing", is_flag=True)
@option("--allow-overflow", text="convert.option_allow_overflow", is_flag=True)
@option("--no-hash", text="convert.option_no_hash", is_flag=True)
@option("--verify", text="convert.option_verify", type=click.Choice(api.words("verify")),
        default="header")  # fmt: skip
@option("--dry-run", text="convert.option_dry_run", is_flag=True)
@option("--force", text="convert.option_force", is_flag=True)
@option("--threads", text="convert.option_threads", type=click.IntRange(1, 64))
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
        dtype=given["dtype"], dtypes=_dtypes(given), digest=not given["no_hash"],
    )  # fmt: skip
    return partial(api.split, folder=given["output"], options=options, **_run(given))


def _to_diffusers(given: dict[str, Any]) -> Callable[..., Splitting]:
    size = given["shard_size"]
    options = api.FolderOptions(
        **({"shard_size": api.parse_size(size)} if size else {}), prune=given["prune"],
        tokenizers=given["tokenizers"], prediction=given["prediction"],
        allow_missing=given["allow_missing"], dtype=given["dtype"], dtypes=_dtypes(given),
        digest=not given["no_hash"],
    )  # fmt: skip
    return partial(api.split_to_diffusers, folder=given["output"], options=options, **_run(given))


def _dtypes(given: dict[str, Any]) -> dict[str, str]:
    return {role: given[f"{word}_dtype"] for word, role in _ROLES.items() if given[f"{word}_dtype"]}


def _run(given: dict[str, Any]) -> dict[str, Any]:
    run_options = RunOptions(
        threads=given["threads"], verify=given["verify"], force=given["force"],
        allow_overflow=given["allow_overflow"],
    )  # fmt: skip
    return {"dry_run": given["dry_run"], "run_options": run_options}
