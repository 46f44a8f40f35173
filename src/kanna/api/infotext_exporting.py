"""Infotexts written out of pictures: the exact text, JSON documents, or a table.

In a table, text that a spreadsheet would run has an apostrophe in front (`kanna.catalog.cells`).
Whoever needs every letter as it is takes ``txt`` or ``json``.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from kanna.api.infotext_changing import encoded, write
from kanna.api.infotext_documents import COLUMNS, infotext_document, infotext_row
from kanna.api.infotext_traces import generation_texts, main_text, without_mark
from kanna.api.infotext_values import Infotext, InfotextOptions
from kanna.api.reading import StrPath
from kanna.catalog.cells import cell
from kanna.errors import KannaError, UsageError
from kanna.infotext.expanding import write_a1111
from kanna.pictures import PICTURE_SUFFIXES

EXPORT_FORMS: Final = ("txt", "a1111", "json", "csv")


def export_form(output: StrPath | None, asked: str | None) -> str:
    """Return the form that was asked for, else the one that the output's suffix names, else text.

    Raises:
        UsageError: they disagree, or the suffix is a picture's.
    """
    folder = output is None or os.path.isdir(output) or os.fspath(output).endswith(("/", os.sep))  # noqa: PTH112
    suffix = "" if folder or output is None else Path(output).suffix.lower()
    named = suffix[1:] if suffix[1:] in EXPORT_FORMS else None
    form = asked or named or "txt"
    if (named and suffix != export_suffix(form)) or suffix in PICTURE_SUFFIXES:
        raise UsageError("infotext_export.suffix", name=output, suffix=export_suffix(form))
    return form


def export_suffix(form: str) -> str:
    """Return what names of files of this form end in."""
    return ".txt" if form == "a1111" else f".{form}"


def export_infotext(
    found: Infotext, target: Path, form: str, options: InfotextOptions
) -> tuple[str, ...]:
    """Write what a picture says: a JSON document, the text as it is, or as A1111 would write it.

    Returns the keywords of texts that are not in the file: a text file holds one.

    Raises:
        Incomplete: the picture says nothing of how it was made.
        Incompatible: the text has letters that `options.encoding` has not.
        KannaError: it cannot be written.
    """
    if form == "json":
        write(target, _json_bytes(infotext_document(found)), options)
        return ()
    if form == "a1111" and found.info is not None:
        write(target, encoded(found.path, write_a1111(found.info), options.encoding), options)
        return ()
    text = main_text(found)
    write(target, encoded(found.path, text.text, options.encoding), options)
    told = (one for one in generation_texts(found) if without_mark(one).text != text.text)
    return tuple(one.keyword or one.place for one in told)


class InfotextTable:
    """What many pictures say, gathered for one file: a list of JSON documents, or CSV."""

    def __init__(self, *, form: str, excel: bool = False) -> None:
        """Begin; with `excel`, CSV gets the mark by which Excel knows UTF-8."""
        self.count = self.silent = 0
        self._is_csv, self._excel = form == "csv", excel
        self._rows: list[Mapping[str, object]] = []

    def add(self, found: Infotext) -> None:
        """Add what a picture says."""
        self.count += 1
        self.silent += found.info is None
        self._rows.append(infotext_row(found) if self._is_csv else infotext_document(found))

    def add_error(self, path: Path, error: KannaError) -> None:
        """Add a picture that could not be read."""
        told: object = error.message if self._is_csv else {
            "key": error.key, "exit": error.exit_code, "message": error.message,
            "hint": error.hint, "path": error.path,
        }  # fmt: skip
        self._rows.append({"path": str(path.absolute()), "error": told})

    def write(self, target: Path, options: InfotextOptions) -> None:
        """Write the file.

        Raises:
            KannaError: it cannot be written.
        """
        as_csv = self._is_csv
        data = _csv_bytes(self._rows, excel=self._excel) if as_csv else _json_bytes(self._rows)
        write(target, data, options)


def _json_bytes(document: object) -> bytes:
    """Return a JSON document; text that is no valid Unicode comes out escaped."""
    try:
        return f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode()
    except UnicodeEncodeError:
        return f"{json.dumps(document, indent=1)}\n".encode()


def _csv_bytes(rows: Iterable[Mapping[str, object]], *, excel: bool) -> bytes:
    """Return rows by `COLUMNS` as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([cell(row.get(column)) for column in COLUMNS] for row in rows)
    return ("\ufeff" * excel + out.getvalue()).encode("utf-8", "backslashreplace")
