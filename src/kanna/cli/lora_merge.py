"""`kanna lora merge`: several LoRAs as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.lora_making_report import remade_document, remade_lines
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import print_json
from kanna.cli.progress import Bar
from kanna.cli.running import run_options, running
from kanna.errors import UsageError


@click.command("merge", cls=Verb, room="lora_merge")
@files
@option("-o", "--output", text="lora_merge.option_output", type=str, required=True)
@option("-w", "--weights", text="lora_merge.option_weights", type=str)
@option("--method", text="lora_merge.option_method", default="concat",
        type=click.Choice(api.lora_words("methods")))  # fmt: skip
@option("--rank", text="lora_merge.option_rank", type=click.IntRange(1))
@option("--dynamic", text="lora_extract.option_dynamic", type=str)
@option("--max-rank", "most", text="lora_merge.option_most", type=click.IntRange(1))
@option("--to", "dialect", text="lora_merge.option_to",
        type=click.Choice(api.lora_words("dialects")))  # fmt: skip
@option("--dtype", text="lora_merge.option_dtype", type=click.Choice(api.lora_words("dtypes")))
@option("--device", text="lora_extract.option_device", default="cpu", type=str)
@running
@common
def merge(
    files: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Make the LoRA, and tell how well it is the sum."""
    options = api.LoraMergeOptions(
        digest=not given["no_hash"],
        **{word: given[word] for word in ("method", "rank", "dynamic", "most", "dialect", "dtype",
                                          "device")},
    )  # fmt: skip
    weights = _weights(given["weights"], len(files))
    with Bar(files[0].name, hidden=quiet or as_json) as bar:
        made = api.lora_merge(
            list(zip(files, weights, strict=True)), given["output"], options,
            dry_run=given["dry_run"], run_options=run_options(given), progress=bar,
        )  # fmt: skip
    if as_json:
        print_json(remade_document(made))
    elif not quiet:
        click.echo("\n".join(remade_lines(made, verbose=verbose)))
    return 0


def _weights(text: str | None, count: int) -> list[float]:
    """Return the weight of each LoRA, of numbers with commas between them.

    Raises:
        UsageError: they are no numbers, or not as many as there are LoRAs.
    """
    if text is None:
        return [1.0] * count
    try:
        weights = [float(word) for word in text.split(",")]
    except ValueError:
        weights = []
    if len(weights) != count or not all(abs(weight) < float("inf") for weight in weights):
        raise UsageError("lora_making.weights_unclear", given=text, count=count)
    return weights
