"""`kanna yaml`: the config that a model needs beside it, or the marker inside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.api import Configuration, RunOptions
from kanna.cli.batch import Batch
from kanna.cli.convert_report import result_document, result_lines
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import bracketed, styled, wrapped
from kanna.cli.progress import Bar
from kanna.errors import UsageError
from kanna.identity import said
from kanna.messages import say, shown


@click.command("yaml", cls=Verb)
@files
@option("--prediction", text="yaml.option_prediction", type=click.Choice(["epsilon", "v"]))
@option("--marker", text="yaml.option_marker", is_flag=True)
@option("--ztsnr", "zero_snr", text="yaml.option_ztsnr", is_flag=True)
@option("-o", "--output", text="yaml.option_output", type=str)
@option("--show", text="yaml.option_show", is_flag=True)
@option("--dry-run", text="convert.option_dry_run", is_flag=True)
@option("--force", text="convert.option_force", is_flag=True)
@common
def configure(
    files: tuple[Path, ...],
    *,
    prediction: str | None,
    marker: bool,
    zero_snr: bool,
    output: str | None,
    show: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Write the config of every file, or a marked copy of it; a failure stops no other."""
    _check_options(marker=marker, zero_snr=zero_snr, output=output, several=len(files) > 1)
    batch = Batch(as_json=as_json, quiet=quiet)
    for path in files:
        with batch.attempt(path):
            if marker:
                with Bar(path.name, hidden=quiet or as_json) as bar:
                    made = api.mark(path, output, prediction=prediction, zero_snr=zero_snr,
                                    dry_run=dry_run, run_options=RunOptions(force=force),
                                    progress=bar)  # fmt: skip
                batch.add(result_document(made), partial(result_lines, made, verbose=verbose))
            else:
                found = api.configure(path, prediction=prediction, force=force,
                                      dry_run=dry_run or show)  # fmt: skip
                batch.add(_document(found), partial(_lines, found, show=show))
    return batch.close(several=len(files) > 1)


def _check_options(*, marker: bool, zero_snr: bool, output: str | None, several: bool) -> None:
    if not marker and (zero_snr or output is not None):
        raise UsageError("yaml.only_with_marker")
    if several and output is not None and not output.endswith("/"):
        raise UsageError("yaml.one_output")


def _lines(found: Configuration, *, show: bool) -> list[str]:
    if show:
        return [found.text]
    known = say("yaml.known_by", certainty=say(f"inspect.certainty_{found.certainty}"))
    mark = styled("✓", "green", "bold")
    lines = [
        f"{styled(shown(found.model), 'bold')}",
        f"  {mark} " + say(f"yaml.{found.state}", path=found.path, name=found.name),
        f"  · {bracketed(found.prediction, known)}: {wrapped(said(found.why), 4)}",
    ]
    if found.guessed:
        lines.append("  · " + wrapped(say("yaml.guessed"), 4))
    return lines


def _document(found: Configuration) -> dict[str, object]:
    return {
        "path": str(found.model), "config": str(found.path), "name": found.name,
        "state": found.state, "prediction": found.prediction, "certainty": found.certainty,
        "why": said(found.why), "needed": not found.guessed, "text": found.text,
    }  # fmt: skip
