"""`kanna infotext export`: the infotexts of whole folders as texts, JSON or a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.infotext_options import (
    are_several,
    encoding_option,
    expanded,
    infotext_files,
    is_folder,
    options_of,
    tell_silent,
)
from kanna.cli.options import Verb, common, option
from kanna.errors import KannaError, UsageError
from kanna.messages import say


@click.command("export", cls=Verb, room="infotext_export")
@infotext_files
@option("-o", "--output", text="infotext_export.option_output")
@option("--to", "form", text="infotext_export.option_to", type=click.Choice(api.EXPORT_FORMS))
@option("--beside", text="infotext_export.option_beside", is_flag=True)
@option("--excel", text="infotext_export.option_excel", is_flag=True)
@option("-r", "--recursive", text="infotext.option_recursive", is_flag=True)
@option("--stealth", text="infotext.option_stealth", is_flag=True)
@option("--force", text="infotext.option_force", is_flag=True)
@option("--dry-run", text="infotext.option_dry_run", is_flag=True)
@encoding_option
@common
def export(files: tuple[Path, ...], **given: Any) -> int:
    """Export every file; a broken one does not stop the others."""
    output, beside = given["output"], given["beside"]
    if (output is None) is not beside:
        raise UsageError("infotext_export.where")
    form = api.export_form(output, given["form"])
    if beside and form == "csv":
        raise UsageError("infotext_export.one_table")
    sources = expanded(files, recursive=given["recursive"])
    if form == "csv" or (form == "json" and output is not None and not is_folder(output)):
        return _export_together(files, sources, form, given)
    return _export_each(files, sources, form, given)


def _export_each(
    files: Sequence[Path], sources: Sequence[api.InfotextSource], form: str, given: dict[str, Any]
) -> int:
    """Write a file for each picture; one in a folder that says nothing is passed over."""
    output = given["output"]
    folder = output is None or are_several(files) or is_folder(output)
    targets = api.infotext_outputs(
        sources, output, [api.export_suffix(form)] * len(sources), folder=folder
    )
    batch = Batch(as_json=given["as_json"], quiet=given["quiet"], total=len(sources))
    options = api.infotext_batch(options_of(given), targets)
    named, silent = frozenset(files), 0
    for source, target in zip(sources, targets, strict=True):
        with batch.attempt(source.path):
            found = _read(source, given)
            if found.info is None and source.path not in named:
                silent += 1
                continue
            others = api.export_infotext(found, target, form, options)
            batch.add(_document(found, target, given), _lines(target, others, given))
    tell_silent(silent, given)
    return batch.close(several=are_several(files), summary="infotext.summary")


def _export_together(
    files: Sequence[Path], sources: Sequence[api.InfotextSource], form: str, given: dict[str, Any]
) -> int:
    """Write one file about all pictures; broken ones are in it, with their error."""
    target = Path(given["output"])
    api.check_apart(sources, [target])
    batch = Batch(as_json=given["as_json"], quiet=given["quiet"], total=len(sources))
    table = api.InfotextTable(form=form, excel=given["excel"])
    for source in sources:
        with batch.attempt(source.path):
            try:
                table.add(_read(source, given))
            except KannaError as error:
                table.add_error(source.path, error)
                raise
    table.write(target, options_of(given))
    tell_silent(table.silent, given)
    batch.add(
        {"output": str(target.absolute()), "pictures": table.count, "silent": table.silent,
         "dry_run": given["dry_run"]},
        lambda: [say(f"infotext_export.{_done(given)}_all", path=target.absolute(),
                     count=table.count)],
    )  # fmt: skip
    return batch.close(several=are_several(files), summary=None)


def _read(source: api.InfotextSource, given: dict[str, Any]) -> api.Infotext:
    return api.read_infotext(source.path, stealth=given["stealth"], encoding=given["encoding"])


def _done(given: dict[str, Any]) -> str:
    return "planned" if given["dry_run"] else "written"


def _document(found: api.Infotext, target: Path, given: dict[str, Any]) -> dict[str, object]:
    return {"path": str(found.path), "output": str(target.absolute()),
            "dry_run": given["dry_run"]}  # fmt: skip


def _lines(target: Path, others: Sequence[str], given: dict[str, Any]) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        told = [say(f"infotext_export.{_done(given)}", path=target.absolute())]
        if others:
            told.append("  " + say("infotext_export.others", names=", ".join(others)))
        return told

    return lines
