"""`kanna quantize`: fewer bits, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import Quantization, QuantizeOptions, RunOptions
from kanna.cli.batch import Batch
from kanna.cli.convert_report import result_document, result_lines
from kanna.cli.error_report import error_lines
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import styled
from kanna.cli.progress import Bar
from kanna.cli.running import folder_for_several, run_options, running
from kanna.messages import say, shown

_TARGETS = api.quantize_words("to")


def _words(option: str) -> click.Choice[str]:
    return click.Choice(api.quantize_words(option))


@click.command("quantize", cls=Verb)
@files
@option("-o", "--output", text="quantize.option_output", type=str)
@option("--to", text="quantize.option_to", type=str, required=True,
        metavar=f"[{'|'.join(_TARGETS)}]")  # fmt: skip
@option("--form", text="quantize.option_form", type=_words("form"), default="current")
@option("--nested", text="quantize.option_nested", is_flag=True)
@option("--te", "text_encoders", text="quantize.option_te", is_flag=True)
@option("--keep", text="quantize.option_keep", type=str, multiple=True, metavar="PATTERN")
@option("--keep-dtype", text="quantize.option_keep_dtype", type=_words("keep_dtype"))
@option("--svg", text="quantize.option_svg", type=str, metavar="FILE")
@running
@common
def quantize(
    files: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any
) -> int:
    """Quantise every file; a failure of one does not stop the others."""
    job = _job(files, given)
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True, misuse_stops=True)
    protected = list(files)
    for path in files:
        with batch.attempt(path):
            with Bar(path.name, hidden=quiet or as_json) as bar:
                made = job.run(path, protected, bar)
            protected.append(made.conversion.destination)
            batch.add(_document(made), partial(_lines, made, verbose=verbose))
    return batch.close(several=len(files) > 1, summary="convert.summary")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the command line asks for, the same for every file."""

    output: str | None
    options: QuantizeOptions
    run_options: RunOptions
    svg: str | None
    dry_run: bool

    def run(self, path: Path, protected: list[Path], bar: Bar) -> Quantization:
        return api.quantize(
            path, self.output, self.options, svg=self.svg, protected=protected,
            dry_run=self.dry_run, run_options=self.run_options, progress=bar,
        )  # fmt: skip


def _job(files: tuple[Path, ...], given: dict[str, Any]) -> _Job:
    output, svg = folder_for_several(files, given["output"]), given["svg"]
    if len(files) > 1:
        svg = svg if svg is None or svg.endswith("/") else f"{svg}/"
    options = QuantizeOptions(
        to=given["to"].lower(), form=given["form"], nested=given["nested"],
        text_encoders=given["text_encoders"], keep=given["keep"], keep_dtype=given["keep_dtype"],
        digest=not given["no_hash"],
    )  # fmt: skip
    return _Job(output=output, options=options, run_options=run_options(given), svg=svg,
                dry_run=given["dry_run"])  # fmt: skip


def _not_finite(made: Quantization) -> dict[str, int]:
    """Return how many values of the input were NaN or Inf, by tensor."""
    counts = made.conversion.result.counts if made.conversion.result else {}
    found = {name: count.nan_out + count.inf_in for name, count in counts.items()}
    return {name: count for name, count in found.items() if count}


def _clipped(made: Quantization) -> bool:
    """Whether any value became the largest that fp8 has."""
    counts = made.conversion.result.counts if made.conversion.result else {}
    outputs = (o for o in made.conversion.plan.outputs if o.name in counts)
    return any(o.dtype.word.startswith("fp8") and counts[o.name].overflowed for o in outputs)


def _lines(made: Quantization, *, verbose: bool) -> list[str]:
    lines = result_lines(made.conversion, verbose=verbose)
    mark = styled("!", "yellow", "bold")
    if _clipped(made):
        lines.append(f"  {mark} " + say("quantize.clipped"))
    for name, count in _not_finite(made).items():
        lines.append(f"  {mark} " + say("quantize.not_finite", name=name, count=count))
    if made.report is not None:
        lines += ["", *error_lines(made.report, verbose=verbose)]
    if made.picture is not None:
        lines += ["", "  " + say("quantize.picture", path=shown(made.picture))]
    return lines


def _document(made: Quantization) -> dict[str, object]:
    """Return the JSON document of one quantisation."""
    return {
        **result_document(made.conversion),
        "not_finite": _not_finite(made),
        "errors": None if made.report is None else made.report.to_json(),
        "picture": None if made.picture is None else str(made.picture),
    }
