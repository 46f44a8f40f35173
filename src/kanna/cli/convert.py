"""`kanna convert`: make the file you want."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import ConvertOptions, RunOptions
from kanna.cli.batch import Batch
from kanna.cli.convert_report import result_document, result_lines
from kanna.cli.options import Verb, common, files, option
from kanna.cli.progress import Bar
from kanna.cli.running import by_part, dtypes_by_role, folder_for_several, run_options, running

_path = click.Path(path_type=Path)


def _words(option: str) -> click.Choice[str]:
    """Return the words that an option of `ConvertOptions` or `RunOptions` takes."""
    return click.Choice(api.words(option))


@click.command("convert", cls=Verb)
@files
@option("-o", "--output", text="convert.option_output", type=str)
@option("--for", "purpose", text="convert.option_for", type=_words("purpose"))
@option("--to", "container", text="convert.option_to", type=_words("container"))
@by_part
@option("--ema", text="convert.option_ema", type=_words("ema"))
@option("--prune/--no-prune", text="convert.option_prune", default=None)
@option("--vae", text="convert.option_vae", type=_path)
@option("--position-ids", text="convert.option_position_ids", type=_words("position_ids"))
@option("--rename-keys", text="convert.option_rename_keys", is_flag=True)
@option("--marker", "markers", text="convert.option_marker", type=_words("markers"), multiple=True)
@option("--compare-ema", text="inspect.option_compare_ema", is_flag=True)
@running
@common
def convert(
    files: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Convert every file; a failure of one does not stop the others."""
    job = _job(files, given)
    batch = Batch(as_json=as_json, quiet=quiet)
    protected = list(files)
    for path in files:
        with batch.attempt(path):
            with Bar(path.name, hidden=quiet or as_json) as bar:
                made = job.run(path, protected, bar)
            protected.append(made.destination)
            batch.add(result_document(made), partial(result_lines, made, verbose=verbose))
    return batch.close(several=len(files) > 1, summary="convert.summary")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the command line asks for, the same for every file."""

    output: str | None
    options: ConvertOptions
    run_options: RunOptions
    vae: Path | None
    compare_ema: bool
    dry_run: bool

    def run(self, path: Path, protected: list[Path], bar: Bar) -> api.Conversion:
        return api.convert(
            path, self.output, self.options, vae=self.vae, protected=protected,
            compare_ema=self.compare_ema, dry_run=self.dry_run, run_options=self.run_options,
            progress=bar,
        )  # fmt: skip


def _job(files: tuple[Path, ...], given: dict[str, Any]) -> _Job:
    options = ConvertOptions(
        purpose=given["purpose"], container=given["container"], dtype=given["dtype"],
        dtypes=dtypes_by_role(given), ema=given["ema"],
        prune=given["prune"], position_ids=given["position_ids"],
        rename_keys=given["rename_keys"], markers=given["markers"], digest=not given["no_hash"],
    )  # fmt: skip
    return _Job(
        output=folder_for_several(files, given["output"]), options=options,
        run_options=run_options(given), vae=given["vae"], compare_ema=given["compare_ema"],
        dry_run=given["dry_run"],
    )  # fmt: skip
