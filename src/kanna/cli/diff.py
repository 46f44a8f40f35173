"""`kanna diff`: what differs between two models, and what one is of the other."""

from __future__ import annotations

from pathlib import Path

import click

from kanna import api
from kanna.api import RunOptions
from kanna.cli.diff_report import diff_document, diff_lines, plan_lines
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.output import print_json
from kanna.cli.progress import Bar
from kanna.errors import UsageError
from kanna.messages import say


@click.command("diff", cls=Verb)
@click.argument("files", metavar="A B [C...]", nargs=-1, required=True, type=ModelPath())
@option("--svg", text="diff.option_svg", type=click.Path(path_type=Path), metavar="FILE")
@option("--force", text="diff.option_force", is_flag=True)
@option("--dry-run", text="diff.option_dry_run", is_flag=True)
@option("--threads", text="diff.option_threads", type=click.IntRange(1, 64))
@common
def diff(
    files: tuple[Path, ...], *, svg: Path | None, force: bool, dry_run: bool,
    threads: int | None, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Compare the second file with the first; the others are what it may be a merge of."""
    if len(files) < 2:
        raise UsageError("diff.two_files", given=len(files))
    first, second, *candidates = files
    label = say("diff.bar", first=first.name, second=second.name)
    with Bar(label, hidden=quiet or as_json) as bar:
        made = api.diff(
            first, second, candidates, svg=svg, dry_run=dry_run,
            run_options=RunOptions(force=force, threads=threads), progress=bar,
        )  # fmt: skip
    if as_json:
        print_json(diff_document(made, verbose=verbose))
    elif not quiet:
        lines = plan_lines(made) if made.report is None else diff_lines(made, verbose=verbose)
        click.echo("\n".join(lines))
    return 0 if made.report is None or made.report.same else 1
