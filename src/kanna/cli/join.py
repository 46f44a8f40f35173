"""`kanna join`: put parts together to one checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import JoinOptions
from kanna.cli.batch import Batch
from kanna.cli.join_report import join_document, join_lines
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.progress import Bar
from kanna.cli.running import by_part, dtypes_by_role, run_options, running


@click.command("join", cls=Verb)
@click.argument("parts", metavar="PART...", nargs=-1, required=True, type=ModelPath())
@option("-o", "--output", text="join.option_output", type=str, required=True)
@option("--for", "program", text="join.option_for",
        type=click.Choice(api.part_programs("join")))  # fmt: skip
@option("--architecture", text="join.option_architecture", metavar="WORD")
@option("--allow-missing", text="join.option_allow_missing", is_flag=True)
@by_part
@running
@common
def join(
    parts: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Put all parts together, or write nothing."""
    batch = Batch(as_json=as_json, quiet=quiet)
    options = JoinOptions(
        program=given["program"], architecture=given["architecture"],
        allow_missing=given["allow_missing"], dtype=given["dtype"],
        dtypes=dtypes_by_role(given), digest=not given["no_hash"],
    )  # fmt: skip
    with Bar(Path(given["output"]).name, hidden=quiet or as_json) as bar:
        made = api.join(parts, given["output"], options, dry_run=given["dry_run"],
                        run_options=run_options(given), progress=bar)  # fmt: skip
    batch.add(join_document(made), lambda: join_lines(made, verbose=verbose))
    return batch.close(several=False)
