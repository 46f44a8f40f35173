"""Collects what the scanners of one file or folder find."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kanna.errors import Incomplete, KannaError
from kanna.messages import size_text
from kanna.model import Note
from kanna.scan.rules import RULES
from kanna.scan.values import VERDICTS, GlobalVerdict, Place, Scan, Threat, Verdict, worst

_MAX_THREATS: Final = 500
_MAX_GLOBALS: Final = 20_000
# Errors of readers that have a rule of their own; all others break the rules of a container.
_CODES: Final = {
    "checkpoint.torchscript": "KS208",
    "checkpoint.zip_bomb": "KS305",
    "checkpoint.expands": "KS305",
    "checkpoint.endless": "KS305",
    "checkpoint.zip_truncated": "KS302",
    "checkpoint.zip_doubled": "KS201",
    "checkpoint.zip_disagrees": "KS201",
    "checkpoint.not_torch": "KS301",
    "checkpoint.zip_other": "KS301",
    "formats.cut_short": "KS302",
    "formats.st_header_cut": "KS302",
    "formats.st_trailing": "KS203",
    "formats.leads_outside": "KS406",
    "formats.pickle_in_disguise": "KS207",
    "wrong_content.empty": "KS302",
    "wrong_content.zeros": "KS302",
    "wrong_content.lfs_pointer": "KS302",
    "disk.missing": "KS304",
    "disk.unreadable": "KS304",
    "disk.not_a_file": "KS304",
}


class Report:
    """What has been found so far; `scan` makes a value of it."""

    def __init__(self, path: Path) -> None:
        """Begin with nothing found in `path`."""
        self.path = path
        self.container: str | None = None
        self.what: Note | None = None
        self.size = 0
        self.accounted = 0
        self.files: list[Path] = []
        self.threats: dict[tuple[object, ...], Threat] = {}
        self.globals: dict[tuple[object, ...], GlobalVerdict] = {}
        self.verdict: Verdict = "clean"

    def add(
        self,
        code: str,
        note: Note,
        place: Place,
        *,
        name: str | None = None,
        position: int | None = None,
    ) -> None:
        """Note a threat; the same one at the same place counts once."""
        verdict = RULES[code].verdict
        self.verdict = worst(self.verdict, verdict)
        key = (code, place.path, place.member, name, note.key if name is None else None, position)
        # The verdict always counts; the list of reasons stays one that people can read.
        if key not in self.threats and len(self.threats) < _MAX_THREATS:
            self.threats[key] = Threat(
                code=code, verdict=verdict, note=note, place=place, name=name, position=position
            )

    def add_error(self, error: KannaError, place: Place) -> None:
        """Note that a reader refuses the file, in the reader's own words."""
        code = _CODES.get(error.key)
        if code is None:
            incomplete = isinstance(error, Incomplete)
            wrong = error.key.startswith("wrong_content.")
            code = "KS302" if incomplete else "KS301" if wrong else "KS303"
        self.add(code, Note(error.key, error.values), place)

    def add_cut_short(self, path: Path, *, have: int, need: int) -> None:
        """Note how much of a file there is, where its own pickle tells how large it should be."""
        values = {
            "percent": int(100 * have / need), "have": size_text(have), "need": size_text(need),
        }  # fmt: skip
        self.add("KS302", Note("scan.ks302_about", values), Place(path=path))

    def see(self, found: GlobalVerdict) -> None:
        """Remember a global."""
        if len(self.globals) < _MAX_GLOBALS:
            key = (found.place.path, found.place.member, found.place.offset, found.name)
            self.globals.setdefault(key, found)

    def scan(self) -> Scan:
        """Return all of it as a value, the gravest threats first."""
        return Scan(
            path=self.path,
            container=self.container,
            verdict=self.verdict,
            size=self.size,
            accounted=min(self.accounted, self.size),
            threats=tuple(sorted(self.threats.values(), key=lambda t: -VERDICTS.index(t.verdict))),
            globals=tuple(self.globals.values()),
            files=tuple(self.files),
            what=self.what,
        )
