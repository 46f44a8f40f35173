"""What was moved, copied and removed: one file of JSON lines for each filing.

``filings/000012-move.jsonl`` beside the library. The first line is the whole plan; each later one
says how far a set has come, and is on the medium before the next step on the disk:

    {"set": 0, "event": "begun", "folders": […]}     those that are about to be made
    {"set": 0, "event": "staged", "step": 2, "state": […], "sha256": "…"}   copied and verified
    {"set": 0, "event": "complete"}     every destination is there: now the sources may go
    {"set": 0, "event": "done"}         or "taken_back": all is as it was before
    {"event": "followed"}               the library knows

Its writer holds the file's lock until it ends. States are device, inode, size and mtime in ns.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from kanna.disk import Fingerprint, make_folder
from kanna.disk.folders import sync_folder
from kanna.disk.holding import hold
from kanna.disk.moving import append
from kanna.errors import UsageError
from kanna.filing.values import FilingPlan, Step, state_record, step_of, step_record

FOLDER: Final = "filings"
_NAME: Final = re.compile(r"(\d{6,})-(move|copy|rename|delete|trash|undo)\.jsonl")
_FLAGS: Final = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_ENDS: Final = frozenset({"done", "taken_back"})


@dataclass(slots=True)
class Progressed:
    """How far a set has come: its last event, and the files that were staged for its steps."""

    event: str = ""
    folders: tuple[Path, ...] = ()
    staged: dict[int, Fingerprint] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Filing:
    """A filing as its journal tells of it."""

    number: int
    verb: str
    token: str
    path: Path
    when: float
    of: int | None
    sets: tuple[tuple[Step, ...], ...]
    progress: dict[int, Progressed]
    followed: bool

    @property
    def ended(self) -> bool:
        """Whether every set that was begun came to an end."""
        return all(one.event in _ENDS for one in self.progress.values())

    @property
    def done(self) -> tuple[int, ...]:
        """The numbers of the sets that were carried out."""
        return tuple(n for n, one in sorted(self.progress.items()) if one.event == "done")


class Journal:
    """The journal of one filing, open and held by this process."""

    def __init__(self, fd: int, path: Path, number: int, token: str) -> None:
        """Go on with an open journal; `token` is in the names of folders that are being copied."""
        self.number, self.path, self.token = number, path, token
        self._fd = fd
        self._torn = False

    @classmethod
    def begin(cls, folder: Path, plan: FilingPlan) -> Journal:
        """Begin the journal of `plan`, under the next number.

        Raises:
            UsageError: the folder cannot be made.
            OSError: it cannot be written.
        """
        make_folder(folder)
        while True:
            number = max((number for number, _ in _journals(folder)), default=0) + 1
            path = folder / f"{number:06}-{plan.verb}.jsonl"
            try:
                fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                continue
            journal = cls(fd, path, number, os.urandom(6).hex())
            try:
                hold(fd)
                journal.write(_header(plan, journal))
                sync_folder(folder)
            except BaseException:
                journal.close()
                path.unlink(missing_ok=True)
                raise
            return journal

    @classmethod
    def resume(cls, filing: Filing) -> Journal | None:
        """Go on with the journal of a filing, or return None where its writer still runs.

        Raises:
            OSError: it cannot be written.
        """
        fd = os.open(filing.path, _FLAGS)
        if hold(fd):
            os.truncate(fd, sum(len(line) + 1 for line in _whole_lines(filing.path)))
            return cls(fd, filing.path, filing.number, filing.token)
        os.close(fd)
        return None

    def write(self, record: Mapping[str, object]) -> None:
        """Add a line, and wait until it is on the medium.

        Raises:
            OSError: it cannot be written.
        """
        line = json.dumps(record).encode() + b"\n"
        try:
            append(self._fd, b"\n" * self._torn + line)
        except BaseException:
            self._torn = True  # the next line must not be taken for the rest of this one
            raise
        self._torn = False

    def note_begun(self, number: int, folders: Sequence[Path]) -> None:
        """Say that a set is begun, and which folders are made for it."""
        self.write({"set": number, "event": "begun", "folders": [str(path) for path in folders]})

    def note(self, number: int, event: str) -> None:
        """Say how far a set has come."""
        self.write({"set": number, "event": event})

    def note_staged(
        self, number: int, step: int, state: Fingerprint, sha256: str | None = None
    ) -> None:
        """Say which file is about to become the destination of a step."""
        self.write({
            "set": number, "event": "staged", "step": step, "state": state_record(state),
            "sha256": sha256,
        })  # fmt: skip

    def close(self) -> None:
        """Close the journal; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the journal."""
        self.close()


def filings(folder: Path) -> Iterator[Filing]:
    """Yield every filing, the last one first; what is no journal is passed over."""
    for _, path in sorted(_journals(folder), reverse=True):
        filing = _read(path)
        if filing is not None:
            yield filing


def find_filing(folder: Path, number: int) -> Filing:
    """Return the filing of this number.

    Raises:
        UsageError: there is none.
    """
    paths = (path for one, path in _journals(folder) if one == number)
    found = next((filing for filing in map(_read, paths) if filing is not None), None)
    if found is None:
        raise UsageError("filing.no_such_filing", number=number)
    return found


def _journals(folder: Path) -> list[tuple[int, Path]]:
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    found = ((_NAME.fullmatch(name), name) for name in names)
    return [(int(match[1]), folder / name) for match, name in found if match]


def _header(plan: FilingPlan, journal: Journal) -> dict[str, object]:
    return {
        "kanna_filing": 1, "number": journal.number, "token": journal.token, "verb": plan.verb,
        "when": time.time(), "of": plan.of,
        "sets": [[step_record(step) for step in one.steps] for one in plan.todo],
    }  # fmt: skip


def _read(path: Path) -> Filing | None:
    """Read a journal; a line that a kill cut off was never acted on."""
    try:
        first, *rest = _whole_lines(path)
        header = json.loads(first)
        filing = Filing(
            number=header["number"], verb=header["verb"], token=header["token"], path=path,
            when=header["when"], of=header["of"], progress={}, followed=False,
            sets=tuple(tuple(map(step_of, steps)) for steps in header["sets"]),
        )  # fmt: skip
        for line in rest:
            with suppress(json.JSONDecodeError):  # one that could not be written to its end
                _take_in(filing, json.loads(line))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return filing


def _whole_lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]


def _take_in(filing: Filing, event: Mapping[str, Any]) -> None:
    if event["event"] == "followed":
        filing.followed = True
        return
    progress = filing.progress.setdefault(event["set"], Progressed())
    if event["event"] == "staged":
        progress.staged[event["step"]] = Fingerprint(*event["state"])
        if event["sha256"]:
            progress.digests[event["step"]] = event["sha256"]
    else:
        progress.event = event["event"]
        progress.folders += tuple(map(Path, event.get("folders", ())))
