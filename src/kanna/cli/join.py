"""`kanna join`: put parts together to one checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import JoinOptions, RunOptions
from kanna.cli.batch import Batch
from kanna.cli.join_report import join_document, join_lines
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.progress import Bar
from kanna.dtypes import TARGETS

_dtype = click.Choice(TARGETS)
_ROLES = {"unet": "diffusion_model", "te": "text_encoder", "vae": "vae", "ema": "ema"}


@click.command("join", cls=Verb)
@click.argument("parts", metavar="PART...", nargs=-1, required=True, type=ModelPath())
@option("-o", "--output", text="join.option_output", type=str, required=True)
@option("--for", "program", text="join.option_for",
        type=click.Choice(api.part_programs("join")))  # fmt: skip
@option("--architecture", text="join.option_architecture", metavar="WORD")
@option("--allow-missing", text="join.option_allow_missing", is_flag=True)
@option("--dtype", text="convert.option_dtype", type=_dtype)
@option("--unet-dtype", text="convert.option_unet_dtype", type=_dtype)
@option("--te-dtype", text="convert.option_te_dtype", type=_dtype)
@option("--vae-dtype", text="convert.option_vae_dtype", type=_dtype)
@option("--ema-dtype", text="convert.option_ema_dtype", type=_dtype)
@option("--allow-overflow", text="convert.option_allow_overflow", is_flag=True)
@option("--no-hash", text="convert.option_no_hash", is_flag=True)
@option("--verify", text="convert.option_verify", type=click.Choice(api.words("verify")),
        default="header")  # fmt: skip
@option("--dry-run", text="convert.option_dry_run", is_flag=True)
@option("--force", text="convert.option_force", is_flag=True)
@option("--threads", text="convert.option_threads", type=click.IntRange(1, 64))
@common
def join(
    parts: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Put all parts together, or write nothing."""
    batch = Batch(as_json=as_json, quiet=quiet)
    dtypes = {role: given[f"{word}_dtype"] for word, role in _ROLES.items()}
    options = JoinOptions(
        program=given["program"], architecture=given["architecture"],
        allow_missing=given["allow_missing"], dtype=given["dtype"],
        dtypes={role: dtype for role, dtype in dtypes.items() if dtype},
        digest=not given["no_hash"],
    )  # fmt: skip
    run_options = RunOptions(
        threads=given["threads"], verify=given["verify"], force=given["force"],
        allow_overflow=given["allow_overflow"],
    )  # fmt: skip
    with Bar(Path(given["output"]).name, hidden=quiet or as_json) as bar:
        made = api.join(parts, given["output"], options, dry_run=given["dry_run"],
                        run_options=run_options, progress=bar)  # fmt: skip
    batch.add(join_document(made), lambda: join_lines(made, verbose=verbose))
    return batch.close(several=False)
