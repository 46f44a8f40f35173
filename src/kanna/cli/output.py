"""How the command line speaks: sizes, styles, tables, JSON and errors."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Final

from kanna.identity import said
from kanna.messages import say, shown

if TYPE_CHECKING:
    from kanna.errors import KannaError
    from kanna.model import Note

_NARROWEST: Final = 20
# What stays together when a line is folded.
_PIECES: Final = re.compile(r"[（「『]*(?:[!-~〜–]+|[^ -~])[、。，．！？）」』ー…]* ?| ")
_STYLES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def count_text(number: int) -> str:
    """Return a count of parameters: ``859.5 M``."""
    for factor, unit in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= factor:
            return f"{number / factor:.4g} {unit}"
    return str(number)


def styled(text: str, *names: str, stream: IO[str] | None = None) -> str:
    """Return `text` in colour where the stream is a terminal and ``NO_COLOR`` is not set."""
    stream = stream or sys.stdout
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    codes = ";".join(_STYLES[name] for name in names)
    return f"\x1b[{codes}m{text}\x1b[0m"


def bracketed(text: str, more: str) -> str:
    """Return `text` with `more` behind it, in the brackets of the language."""
    return say("cli.bracketed", text=text, more=more)


def width(text: str) -> int:
    """Return the columns that `text` takes in a terminal; Japanese letters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, indent: int) -> str:
    """Return `text` folded to the terminal, later lines indented; unchanged where there is none.

    Japanese has no spaces to fold at, so a line may end after any of its letters, but not before a
    closing mark or after an opening one.
    """
    if not sys.stdout.isatty():
        return text
    import shutil

    room = max(shutil.get_terminal_size().columns - indent, _NARROWEST)
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and width(line + piece.rstrip()) > room:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return ("\n" + " " * indent).join([*lines, line])


def command_line(words: Sequence[str]) -> str:
    """Return words as a person types them, quoted for the system's shell."""
    import shlex  # few reports show a command
    import subprocess

    line = subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
    return line if line.isprintable() else shown(line)


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), indent: int = 2) -> list[str]:
    """Return `rows` as aligned lines; the columns in `right` are set flush right."""
    if not rows:
        return []
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for number, cell in enumerate(row):
            space = " " * (widths[number] - width(cell))
            cells.append(space + cell if number in right else cell + space)
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return lines


def print_json(document: object) -> None:
    """Print one JSON document on stdout; text that is not valid Unicode comes out escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=1)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(document, indent=1)
    sys.stdout.write(text + "\n")


def error_document(error: KannaError) -> dict[str, object]:
    """Return the JSON form of an error; `key` and `exit` are stable, the text is for people."""
    return {
        "key": error.key, "exit": error.exit_code, "message": error.message, "hint": error.hint,
        "path": error.path,
    }  # fmt: skip


def print_error(error: KannaError, *, as_json: bool) -> None:
    """Print an error: a sentence and a hint on stderr, or a document on stdout."""
    if as_json:
        print_json({"error": error_document(error)})
        return
    mark = styled(say("cli.error"), "red", "bold", stream=sys.stderr)
    sys.stderr.write(f"{mark} {error.message}\n")
    if error.hint:
        sys.stderr.write(f"  {error.hint}\n")


def failed(path: str | os.PathLike[str], error: KannaError, *, as_json: bool) -> dict[str, object]:
    """Tell that one of several files failed, and return its document for the list."""
    if not as_json:
        print_error(error, as_json=False)
    return {"path": str(path), "error": error_document(error)}


def note_line(note: Note) -> str:
    """Return a note as one line of a report."""
    mark = styled("!", "yellow", "bold") if note.warning else styled("·", "dim")
    return f"  {mark} {wrapped(said(note), 4)}"


def print_notice(key: str, **values: object) -> None:
    """Print a sentence on stderr, where it does not mix with results."""
    sys.stderr.write(say(key, **values) + "\n")


def common_exit_code(codes: Sequence[int]) -> int:
    """Return the one exit code that all failures share, 1 where they differ, 0 without any."""
    return codes[0] if codes and len(set(codes)) == 1 else int(bool(codes))
