"""`kanna scan`: whether a file is safe, and exactly why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from kanna import api
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import failed, print_json, print_notice
from kanna.cli.sarif import sarif
from kanna.cli.scan_report import document, report, sarif_results, sarif_rules
from kanna.errors import KannaError, UsageError

_EXITS = {"clean": 0, "suspicious": 3, "dangerous": 1}


@click.command("scan", cls=Verb)
@files
@option("-r", "--recursive", text="scan.option_recursive", is_flag=True)
@option("--deep", text="scan.option_deep", is_flag=True)
@option("--sarif", "as_sarif", text="scan.option_sarif", is_flag=True)
@common
def scan(
    files: tuple[Path, ...],
    *,
    recursive: bool,
    deep: bool,
    as_sarif: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Judge every file; a broken one does not stop the others."""
    if as_sarif and as_json:
        raise UsageError("scan.sarif_and_json")
    documents: list[object] = []
    found: list[api.Scan] = []
    codes: list[int] = []
    for path in _targets(files, codes, recursive=recursive):
        try:
            one = api.scan(path, deep=deep)
        except KannaError as error:
            codes.append(error.exit_code)
            documents.append(failed(path, error, as_json=as_json))
            continue
        found.append(one)
        codes.append(_EXITS[one.verdict])
        documents.append(document(one))
        if not (as_json or as_sarif) and not (quiet and one.verdict == "clean"):
            click.echo("\n".join(report(one, verbose=verbose)))
    if as_sarif:
        print_json(sarif(sarif_rules(), sarif_results(found)))
    elif as_json:
        single = len(files) == 1 and len(documents) == 1 and not files[0].is_dir()
        print_json(documents[0] if single else documents)
    elif len(found) > 1 and not quiet:
        _print_summary(found)
    return _exit_code(codes)


def _targets(files: tuple[Path, ...], codes: list[int], *, recursive: bool) -> Iterator[Path]:
    """Yield what to scan; a folder without any model counts as one that could not be judged."""
    for path in files:
        empty = True
        for target in api.scan_targets(path, recursive=recursive):
            empty = False
            yield target
        if empty:
            print_notice("scan.no_models_below" if recursive else "scan.no_models", path=path)
            codes.append(_EXITS["suspicious"])


def _print_summary(found: list[api.Scan]) -> None:
    verdicts = [one.verdict for one in found]
    counts = {name: verdicts.count(name) for name in ("clean", "suspicious", "dangerous")}
    print_notice("scan.summary", **counts)


def _exit_code(codes: list[int]) -> int:
    """Return the gravest: dangerous, then an error of its own, then suspicious, then clean."""
    if 1 in codes:
        return 1
    return max(codes, default=0, key=lambda code: (code not in (0, 3), code))
