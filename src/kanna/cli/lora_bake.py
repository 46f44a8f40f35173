"""`kanna lora bake`: LoRAs put into a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.merge_report import merge_document, merge_lines
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.progress import Bar
from kanna.cli.running import run_options, running
from kanna.cli.wishing import numbers_in, wish_of, wishing


@click.command("bake", cls=Verb, room="lora_bake")
@click.argument("model", metavar="MODEL", type=ModelPath())
@click.argument("loras", metavar="LORA...", nargs=-1, required=True, type=ModelPath())
@option("-o", "--output", text="lora_bake.option_output", type=str, required=True)
@option("-w", "--weights", text="lora_bake.option_weights", metavar="N,N,...")
@option("--te-weights", text="lora_bake.option_te_weights", metavar="N,N,...")
@option("--blocks", text="lora_bake.option_blocks", metavar="BLOCKS", multiple=True)
@option("--elements", text="lora_bake.option_elements", metavar="RULE", multiple=True)
@option("--skip-unknown", text="lora_bake.option_skip_unknown", is_flag=True)
@option("--vae", text="lora_bake.option_vae", type=ModelPath())
@wishing
@running
@common
def bake(
    model: Path, loras: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Bake all LoRAs into the model."""
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    hidden = quiet or as_json
    with Bar("sha256", hidden=hidden) as hashing, Bar(given["output"], hidden=hidden) as bar:
        made = api.lora_bake(
            model, loras, given["output"], weights=numbers_in("--weights", given["weights"]),
            te_weights=numbers_in("--te-weights", given["te_weights"]), blocks=given["blocks"],
            elements=given["elements"], skip_unknown=given["skip_unknown"], vae=given["vae"],
            output=wish_of(given), hash_inputs=not given["no_hash"], dry_run=given["dry_run"],
            run_options=run_options(given), progress=bar, hash_progress=hashing,
        )  # fmt: skip
    batch.add(merge_document(made), partial(merge_lines, made, verbose=verbose))
    return batch.close(several=False)
