"""Lists of models as others read them: spreadsheets, model pages, checksum tools.

Titles, notes and names are text of strangers: none of it is taken for a formula, a table's rule or
a line of its own. Lists for programs are in `kanna.catalog.exports_programs`.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kanna.catalog.asking import FoundFile
from kanna.catalog.cells import cell
from kanna.messages import say, shown, size_text

_COLUMNS: Final = (
    "name", "path", "size", "kind", "architecture", "variant", "dtype", "quantization", "container",
    "title", "sha256", "autov1", "autov2", "autov3", "data_sha256", "blake3", "crc32", "tags",
    "findings", "note",
)  # fmt: skip
_MARKUP: Final = frozenset("\\`*_{}[]<>()#+-!|~&$")


def csv_text(files: Sequence[FoundFile]) -> str:
    """Return a table for spreadsheets: RFC 4180, lists with spaces between.

    A text that a spreadsheet would compute has an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for file in files:
        values = file.to_json()
        writer.writerow([_cell(values[name]) for name in _COLUMNS])
    return out.getvalue()


def json_text(files: Sequence[FoundFile]) -> str:
    """Return a JSON list of everything that the library says of the models."""
    return json.dumps([file.to_json() for file in files], indent=1) + "\n"


def markdown(files: Sequence[FoundFile]) -> str:
    """Return a table for a model page: names, sizes and the hashes that people look for."""
    head = ["name", "size", "sha256", "autov2", "autov3"]
    rows = [[say(f"library_export.column_{name}") for name in head], ["---"] * len(head)]
    rows[1][1] = "---:"
    for file in files:
        digests = [f"`{one}`" if one else "" for one in (file.sha256, file.autov2, file.autov3)]
        rows.append([_plain(file.name), size_text(file.size), *digests])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def sha256_list(files: Sequence[FoundFile]) -> str:
    """Return what ``sha256sum -c`` reads; files that were not hashed are left out.

    Source of how names are escaped: GNU coreutils, cksum invocation.
    """
    lines = []
    for file in files:
        if file.sha256:
            name = os.fspath(file.path)
            plain = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
            mark = "\\" if plain != name else ""
            lines.append(f"{mark}{file.sha256}  {plain}\n")
    return "".join(lines)


LISTS: Final[Mapping[str, Callable[[Sequence[FoundFile]], str]]] = {
    "csv": csv_text, "json": json_text, "markdown": markdown, "sha256": sha256_list,
}  # fmt: skip


def _cell(value: object) -> object:
    return cell(" ".join(map(str, value)) if isinstance(value, list) else value)


def _plain(text: str) -> str:
    """Return text as a cell of a table in Markdown; it stays what it is, and on one line."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in shown(text))
