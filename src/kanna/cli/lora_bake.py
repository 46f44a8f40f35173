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
from kanna.cli.running import by_part, dtypes_by_role, run_options, running
from kanna.errors import UsageError
from kanna.merging.recipe import Wish


@click.command("bake", cls=Verb, room="lora_bake")
@click.argument("model", metavar="MODEL", type=ModelPath())
@click.argument("loras", metavar="LORA...", nargs=-1, required=True, type=ModelPath())
@option("-o", "--output", text="lora_bake.option_output", type=str, required=True)
@option("--weights", text="lora_bake.option_weights", metavar="N,N,...")
@option("--te-weights", text="lora_bake.option_te_weights", metavar="N,N,...")
@option("--blocks", text="lora_bake.option_blocks", metavar="BLOCKS", multiple=True)
@option("--elements", text="lora_bake.option_elements", metavar="RULE", multiple=True)
@option("--skip-unknown", text="lora_bake.option_skip_unknown", is_flag=True)
@option("--vae", text="lora_bake.option_vae", type=ModelPath())
@option("--ema", text="merge.option_ema", type=click.Choice(["drop", "keep"]), default="drop")
@option("--prune", text="convert.option_prune", is_flag=True)
@option("--position-ids", text="merge.option_position_ids", default="repair",
        type=click.Choice(api.words("position_ids")))  # fmt: skip
@option("--to", "container", text="convert.option_to", type=click.Choice(api.words("container")))
@by_part
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
            model, loras, given["output"], weights=_numbers("--weights", given["weights"]),
            te_weights=_numbers("--te-weights", given["te_weights"]), blocks=given["blocks"],
            elements=given["elements"], skip_unknown=given["skip_unknown"], vae=given["vae"],
            output=_wish(given), hash_inputs=not given["no_hash"], dry_run=given["dry_run"],
            run_options=run_options(given), progress=bar, hash_progress=hashing,
        )  # fmt: skip
    batch.add(merge_document(made), partial(merge_lines, made, verbose=verbose))
    return batch.close(several=False)


def _wish(given: dict[str, Any]) -> Wish:
    return Wish(
        container=given["container"], dtype=given["dtype"], dtypes=dtypes_by_role(given),
        ema=given["ema"], prune=given["prune"], position_ids=given["position_ids"],
    )  # fmt: skip


def _numbers(option: str, text: str | None) -> list[float]:
    """Return a list of numbers.

    Raises:
        UsageError: one is none.
    """
    try:
        return [float(word) for word in text.split(",")] if text else []
    except ValueError as error:
        raise UsageError("lora_bake.no_numbers", option=option, given=text) from error
