"""`kanna lora resize`: a LoRA at other ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.lora_making_report import remade_document, remade_lines
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.output import print_json
from kanna.cli.progress import Bar
from kanna.cli.running import run_options, running


@click.command("resize", cls=Verb, room="lora_resize")
@click.argument("lora", type=ModelPath())
@option("-o", "--output", text="lora_extract.option_output", type=str, required=True)
@option("--rank", text="lora_resize.option_rank", type=click.IntRange(1))
@option("--dynamic", text="lora_extract.option_dynamic", type=str)
@option("--max-rank", "most", text="lora_extract.option_most", type=click.IntRange(1))
@option("--conv-rank", text="lora_extract.option_conv", type=click.IntRange(1))
@option("--clamp", "quantile", text="lora_extract.option_clamp", type=click.FloatRange(0.5, 1))
@option("--to", "dialect", text="lora_resize.option_to",
        type=click.Choice(api.lora_words("dialects")))  # fmt: skip
@option("--dtype", text="lora_resize.option_dtype", type=click.Choice(api.lora_words("dtypes")))
@option("--device", text="lora_extract.option_device", default="cpu", type=str)
@running
@common
def resize(lora: Path, *, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> int:
    """Make the LoRA, and tell what it keeps."""
    options = api.ResizeOptions(
        digest=not given["no_hash"],
        **{word: given[word] for word in ("rank", "dynamic", "most", "conv_rank", "quantile",
                                          "dialect", "dtype", "device")},
    )  # fmt: skip
    with Bar(lora.name, hidden=quiet or as_json) as bar:
        made = api.lora_resize(
            lora, given["output"], options, dry_run=given["dry_run"],
            run_options=run_options(given), progress=bar,
        )  # fmt: skip
    if as_json:
        print_json(remade_document(made))
    elif not quiet:
        click.echo("\n".join(remade_lines(made, verbose=verbose)))
    return 0
