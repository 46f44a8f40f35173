"""`kanna lora convert`: a LoRA spelled for another program."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import LoraConversion
from kanna.cli.batch import Batch
from kanna.cli.options import Verb, common, files, option
from kanna.cli.outcome import done_lines, note_documents, note_lines, outcome_document
from kanna.cli.output import styled
from kanna.cli.progress import Bar
from kanna.cli.running import folder_for_several, run_options, running
from kanna.messages import say, shown, size_text


@click.command("convert", cls=Verb, room="lora_convert")
@files
@option("-o", "--output", text="lora_convert.option_output", type=str)
@option("--to", "dialect", text="lora_convert.option_to", required=True,
        type=click.Choice(api.lora_words("dialects")))  # fmt: skip
@option("--architecture", text="lora_convert.option_architecture", metavar="WORD")
@option("--dtype", text="lora_convert.option_dtype", type=click.Choice(api.lora_words("dtypes")))
@option("--skip-unknown", text="lora_bake.option_skip_unknown", is_flag=True)
@running
@common
def convert(
    files: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Spell every LoRA anew; a failure of one does not stop the others."""
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    output = folder_for_several(files, given["output"])
    protected = list(files)
    for path in files:
        with batch.attempt(path):
            with Bar(path.name, hidden=quiet or as_json) as bar:
                made = api.lora_convert(
                    path, output, given["dialect"], architecture=given["architecture"],
                    dtype=given["dtype"], skip_unknown=given["skip_unknown"],
                    digest=not given["no_hash"], protected=protected, dry_run=given["dry_run"],
                    run_options=run_options(given), progress=bar,
                )  # fmt: skip
            protected.append(made.destination)
            batch.add(_document(made), partial(_lines, made, verbose=verbose))
    return batch.close(several=len(files) > 1, summary="convert.summary")


def _lines(made: LoraConversion, *, verbose: bool) -> Iterator[str]:
    """Yield the report of one conversion, planned or done."""
    arrow, plan = styled("→", "cyan"), made.respelled.plan
    size = made.result.size if made.result else plan.data_bytes
    yield f"{styled(shown(made.path), 'bold')} {arrow} {styled(shown(made.destination), 'bold')}"
    yield f"  {size_text(made.before.size)} {arrow} {size_text(size)}"
    kinds = ", ".join(f"{kind}: {count}" for kind, count in made.respelled.kinds.items())
    yield "  " + say("lora_convert.modules", dialect=made.respelled.dialect.title,
                     count=made.respelled.after, kinds=kinds)  # fmt: skip
    if plan.notes:
        yield ""
    yield from note_lines(plan.notes, verbose=verbose)
    yield ""
    if made.result is None:
        memory = size_text(made.memory)
        yield "  " + say("convert.dry_run", tensors=len(plan.outputs), memory=memory)
    else:
        yield from done_lines(made.result, len(plan.outputs))


def _document(made: LoraConversion) -> dict[str, object]:
    """Return the JSON document of one conversion."""
    respelled = made.respelled
    return {
        "path": str(made.path), "output": str(made.destination), "dry_run": made.result is None,
        "architecture": made.before.architecture, "dialect": respelled.dialect.name,
        "modules_before": respelled.before, "modules": respelled.after,
        "kinds": dict(respelled.kinds), "tensors": len(respelled.plan.outputs),
        "data_bytes": respelled.plan.data_bytes, "memory": made.memory,
        "notes": note_documents(respelled.plan.notes), "result": outcome_document(made.result),
    }  # fmt: skip
