"""`kanna fix`: mend what `kanna check` finds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.api import Fixed, RunOptions
from kanna.cli.batch import Batch
from kanna.cli.convert_report import result_document, result_lines
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import error_document, styled, wrapped
from kanna.cli.progress import Bar
from kanna.cli.running import folder_for_several
from kanna.findings.values import PURPOSES, Finding
from kanna.identity import said
from kanna.messages import say, shown


@click.command("fix", cls=Verb)
@files
@option("-o", "--output", text="convert.option_output", type=str)
@option("--for", "purpose", text="check.option_for", type=click.Choice(PURPOSES))
@option("--select", text="check.option_select", multiple=True, metavar="KN…")
@option("--ignore", text="check.option_ignore", multiple=True, metavar="KN…")
@option("--deep", text="check.option_deep", is_flag=True)
@option("--dry-run", text="convert.option_dry_run", is_flag=True)
@option("--force", text="convert.option_force", is_flag=True)
@option("--allow-overflow", text="convert.option_allow_overflow", is_flag=True)
@option("--verify", text="convert.option_verify", type=click.Choice(["header", "full"]),
        default="header")  # fmt: skip
@common
def fix(files: tuple[Path, ...], *, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> int:
    """Mend every file; a failure of one does not stop the others."""
    batch = Batch(as_json=as_json, quiet=quiet)
    protected = list(files)
    output, settings = given["output"], api.check_settings()
    for name in ("purpose", "select", "ignore"):
        given[name] = given[name] or getattr(settings, name)
    output = folder_for_several(files, output)
    for path in files:
        with batch.attempt(path):
            with Bar(path.name, hidden=quiet or as_json) as bar:
                done = _fixed(path, output, protected, bar, given)
            if done.conversion is not None:
                protected.append(done.conversion.destination)
            lines = partial(_lines, done, verbose=verbose)
            batch.add(_document(done), lines, code=int(_unmended(done)))
    return batch.close(several=len(files) > 1)


def _fixed(
    path: Path, output: str | None, protected: list[Path], bar: Bar, given: dict[str, Any]
) -> Fixed:
    run_options = RunOptions(
        force=given["force"], verify=given["verify"], allow_overflow=given["allow_overflow"]
    )
    return api.fix(
        path, output, purpose=given["purpose"], select=given["select"], ignore=given["ignore"],
        deep=given["deep"], protected=protected, dry_run=given["dry_run"],
        run_options=run_options, progress=bar,
    )  # fmt: skip


def _unmended(done: Fixed) -> bool:
    """Whether something graver than a note is left to a person."""
    return any(finding.severity != "note" for finding in (*done.left, *done.remaining))


def _lines(done: Fixed, *, verbose: bool) -> Iterator[str]:
    made = done.conversion
    if not done.mended:
        key = "fix.nothing_mechanical" if done.left else "fix.nothing"
        yield f"{styled(shown(done.path), 'bold')}  {say(key)}"
    else:
        finished = made.result is not None if made else done.config is not None
        key = "fix.mended" if finished else "fix.would_mend"
        yield f"{styled(shown(done.path), 'bold')}  {say(key, count=len(done.mended))}"
        yield from _findings(done.mended, "✓", "green")
    if made is not None:
        yield ""
        yield from result_lines(made, verbose=verbose)
    if done.config is not None:
        yield "  " + say("fix.config", path=done.config)
    if done.config_error is not None:
        yield f"  {styled('!', 'yellow', 'bold')} {done.config_error}"
    if done.left:
        yield ""
        yield say("fix.left")
        for finding in done.left:
            yield from _findings((finding,), "!", "yellow")
            advice = say(f"findings.{finding.rule.code.lower()}_fix")
            yield f"           {styled(wrapped(advice, 11), 'dim')}"
    new = [finding for finding in done.remaining if finding.rule not in {f.rule for f in done.left}]
    if new:
        yield ""
        yield say("fix.remaining")
        yield from _findings(tuple(new), "!", "yellow")


def _findings(findings: tuple[Finding, ...], mark: str, style: str) -> Iterator[str]:
    for finding in findings:
        text = wrapped(said(finding.note), 11)
        yield f"  {styled(mark, style, 'bold')} {styled(finding.rule.code, 'dim')}  {text}"


def _document(done: Fixed) -> dict[str, object]:
    made, error = done.conversion, done.config_error
    return {
        "path": str(done.path),
        "mended": [_code(finding) for finding in done.mended],
        "left": [_code(finding) for finding in done.left],
        "remaining": [_code(finding) for finding in done.remaining],
        "config": None if done.config is None else str(done.config),
        "config_error": None if error is None else error_document(error),
        "conversion": None if made is None else result_document(made),
    }


def _code(finding: Finding) -> dict[str, object]:
    return {"code": finding.rule.code, "severity": finding.severity,
            "text": said(finding.note)}  # fmt: skip
