"""`kanna lora extract`: what a model has more than another, as a LoRA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.lora_making_report import extract_document, extract_lines
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.output import print_json
from kanna.cli.progress import Bar
from kanna.cli.running import run_options, running
from kanna.errors import UsageError


@click.command("extract", cls=Verb, room="lora_extract")
@click.argument("tuned", type=ModelPath())
@click.argument("base", type=ModelPath())
@option("-o", "--output", text="lora_extract.option_output", type=str, required=True)
@option("--rank", text="lora_extract.option_rank", type=click.IntRange(1))
@option("--dynamic", text="lora_extract.option_dynamic", type=str)
@option("--max-rank", "most", text="lora_extract.option_most", type=click.IntRange(1))
@option("--conv-rank", text="lora_extract.option_conv", type=click.IntRange(1))
@option("--no-conv", text="lora_extract.option_no_conv", is_flag=True)
@option("--no-text-encoders", text="lora_extract.option_no_text_encoders", is_flag=True)
@option("--min-difference", "least", text="lora_extract.option_least", type=click.FloatRange(0),
        default=0.0)  # fmt: skip
@option("--full-rest", "full", text="lora_extract.option_full", is_flag=True)
@option("--clamp", "quantile", text="lora_extract.option_clamp", type=click.FloatRange(0.5, 1))
@option("--to", "dialect", text="lora_extract.option_to", default="kohya",
        type=click.Choice(api.lora_words("dialects")))  # fmt: skip
@option("--dtype", text="lora_extract.option_dtype", default="fp16",
        type=click.Choice(api.lora_words("dtypes")))  # fmt: skip
@option("--device", text="lora_extract.option_device", default="cpu", type=str)
@running
@common
def extract(
    tuned: Path, base: Path, *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Make the LoRA, and tell what it keeps."""
    with Bar(tuned.name, hidden=quiet or as_json) as bar:
        made = api.lora_extract(
            tuned, base, given["output"], _options(given), dry_run=given["dry_run"],
            run_options=run_options(given), progress=bar,
        )  # fmt: skip
    if as_json:
        print_json(extract_document(made))
    elif not quiet:
        click.echo("\n".join(extract_lines(made, verbose=verbose)))
    return 0


def _options(given: dict[str, Any]) -> api.ExtractOptions:
    """Return what is asked for.

    Raises:
        UsageError: convolutions are to have a rank, and to be left out.
    """
    if given["no_conv"] and given["conv_rank"] is not None:
        raise UsageError("lora_making.conv_and_none")
    return api.ExtractOptions(
        conv_rank=0 if given["no_conv"] else given["conv_rank"],
        text_encoders=not given["no_text_encoders"], digest=not given["no_hash"],
        **{word: given[word] for word in ("rank", "dynamic", "most", "least", "full", "quantile",
                                          "dialect", "dtype", "device")},
    )  # fmt: skip
