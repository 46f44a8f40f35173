"""The library's models as lists for others: spreadsheets, model pages, checksum tools, programs."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from kanna.api.library_asking import FindOptions, filters_of, open_library
from kanna.api.reading import StrPath
from kanna.catalog.asking import Sort, find
from kanna.catalog.exports import LISTS
from kanna.catalog.exports_programs import comfyui, invokeai
from kanna.engine import publish, rehearse_publish

ExportForm: TypeAlias = Literal["csv", "json", "markdown", "comfyui", "invokeai", "sha256"]
LIBRARY_FORMS: Final = get_args(ExportForm)


def library_export(
    form: ExportForm,
    options: FindOptions | None = None,
    *,
    sort: Sort = "name",
    library: StrPath | None = None,
) -> str:
    """Return the wanted models as a list in `form`, which ends with a line break.

    Raises:
        UsageError: a word of `options` means nothing.
        Incomplete: there is no library.
    """
    with open_library(library) as opened:
        files = find(opened, filters_of(options or FindOptions(), opened), sort=sort)
        if form == "comfyui":
            return comfyui(opened, files)
        return invokeai(files) if form == "invokeai" else LISTS[form](files)


def write_export(
    text: str, destination: StrPath, *, force: bool = False, dry_run: bool = False
) -> None:
    """Write what `library_export` returned; the whole file appears, or none.

    With `dry_run`, nothing is written, and what would be in the way is told.

    Raises:
        OutputExists: the destination is there, and `force` was not given.
        KannaError: it cannot be written.
    """
    if dry_run:
        rehearse_publish(destination, force=force)
    else:
        publish(Path(destination), text.encode("utf-8", "surrogateescape"), force=force)
