"""What becomes of one item in the inbox, from the first look to the place where it ends up."""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kanna.api.making import convert
from kanna.api.putting_away import (
    beside_output,
    library_folder,
    put_aside,
    put_away,
    put_in_trash,
)
from kanna.api.reading import inspect
from kanna.catalog.place import existing_library
from kanna.disk import Fingerprint, absolute
from kanna.engine import RunOptions
from kanna.engine.staging import remove_leftovers
from kanna.errors import (
    FormatError,
    Incompatible,
    Incomplete,
    KannaError,
    NumericError,
    OutputExists,
    UnknownModel,
    UnsafeFile,
    UsageError,
)
from kanna.identity import said
from kanna.inbox import working
from kanna.inbox.folders import layout_of, place_for
from kanna.inbox.landing import Item
from kanna.inbox.reports import Reason
from kanna.inbox.rules import Rule, Rules
from kanna.inbox.working import Working
from kanna.ops.convert import ConvertOptions
from kanna.scan import Scan, scan

Originals: TypeAlias = Literal["keep", "trash"]
State: TypeAlias = Literal[
    "converted", "put_away", "planned", "aside", "left", "refused", "arriving"
]
# What is wrong with the item itself; all other errors are of the machine, and end the watching.
_ITS_OWN: Final = (
    FormatError, Incompatible, Incomplete, NumericError, OutputExists, UnknownModel, UnsafeFile,
)  # fmt: skip
# What a file that is still being written looks like.
_BROKEN_OFF: Final = (FormatError, Incomplete)
_REASONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How to watch an inbox.

    `models` is the folder below which models are put, with the folders of the program `layout`;
    without it they go to the folders of the library. `rest` and `patience` are seconds: without a
    change before an item is touched, and before one that breaks off is given up.
    """

    rules: Rules = field(default_factory=Rules)
    models: Path | None = None
    layout: str | None = None
    originals: Originals = "keep"
    allow_suspicious: bool = False
    rest: float = 5.0
    patience: float = 60.0
    once: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What became of an item.

    `output` is where the model is now, `original` where the file that it was converted from is, and
    `aside` where what could not be taken in lies, with a report of the `reasons`. What could not
    even be set aside is ``left`` where it landed until it changes.
    """

    path: Path
    state: State
    kind: str | None = None
    output: Path | None = None
    original: Path | None = None
    aside: Path | None = None
    reasons: tuple[Reason, ...] = ()
    exit_code: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        places = {"output": self.output, "original": self.original, "aside": self.aside}
        return {
            "path": str(self.path), "state": self.state, "kind": self.kind,
            **{name: None if path is None else str(path) for name, path in places.items()},
            "reasons": [
                {"key": one.key, "message": one.message, "hint": one.hint} for one in self.reasons
            ],
            "exit": self.exit_code, "seconds": round(self.seconds, 3),
        }  # fmt: skip


class TakingIn:
    """Takes in the items of one inbox, one after the other."""

    def __init__(self, inbox: Path, options: WatchOptions, stop: threading.Event) -> None:
        """Begin.

        Raises:
            UsageError: models would be put where they land again, or nobody says where.
        """
        self._inbox, self._options, self._stop = inbox, options, stop
        self._failed, self._originals = inbox / "failed", inbox / "originals"
        folders = [*options.rules.folders(), *filter(None, [options.models])]
        for folder in folders:
            self._outside(folder)
        if not folders and existing_library() is None:
            raise UsageError("watch.no_target", path=inbox)

    @property
    def apart(self) -> tuple[Path, Path]:
        """The folders of the inbox in which nothing lands."""
        return (self._failed, self._originals)

    def resume(self) -> Handled | None:
        """Put away the original of what a run that was killed had converted already."""
        begun = working.begun(self._inbox)
        if begun is None or self._options.dry_run:
            return None
        handled = None
        if begun.is_done():
            remove_leftovers(begun.output)
            handled = self._converted(begun.path, begun.output, None)
        working.finish(self._inbox)
        return handled

    def take_in(self, item: Item, resting: float) -> Handled | None:
        """Take in one item, or None where it may still be on its way.

        Raises:
            KannaError: the machine is not able to, for example because a disk is full.
        """
        began = time.monotonic()
        try:
            handled = self._put(item)
        except FileNotFoundError:  # somebody took it away
            return None
        except _ITS_OWN as error:
            may_come = isinstance(error, _BROKEN_OFF) and resting < self._options.patience
            if may_come or not item.unchanged():  # somebody writes to it, or took it away
                return None
            handled = self._set_aside(item, error)
        working.finish(self._inbox)
        return replace(handled, seconds=time.monotonic() - began)

    def _put(self, item: Item) -> Handled:
        kind = self._kind(item)
        rule = self._options.rules.rule(kind)
        folder = self._folder(item, kind, rule)
        if rule.converts and item.path.is_file():
            return self._convert(item, kind, rule, folder)
        output = put_away(item.path, folder, dry_run=self._options.dry_run)
        state: State = "planned" if self._options.dry_run else "put_away"
        return Handled(path=item.path, state=state, kind=kind, output=output)

    def _kind(self, item: Item) -> str:
        """Return what kind of model an item is, if it may be taken in at all."""
        report = scan(item.path)
        if report.verdict == "dangerous":  # also where nothing else can be read of it
            raise _unsafe(report)
        identity = inspect(item.path).identity  # breaks off where the file does
        if report.verdict == "suspicious" and not self._options.allow_suspicious:
            raise _unsafe(report)
        return identity.kind

    def _folder(self, item: Item, kind: str, rule: Rule) -> Path:
        options = self._options
        if rule.folder is not None:
            return rule.folder
        if kind == "unknown":
            raise UnknownModel("watch.unknown", path=item.path)
        if options.models is not None:
            models = absolute(options.models)
            return place_for(models, kind, options.layout or layout_of(models))
        return self._outside(library_folder(kind))

    def _outside(self, folder: Path) -> Path:
        """Return a folder that is not in the inbox.

        Raises:
            UsageError: it is, so that what is put there would land again; or it is no folder.
        """
        if folder.exists() and not folder.is_dir():
            reason = os.strerror(errno.ENOTDIR)
            raise UsageError("disk.no_folder", path=folder, reason=reason)
        if folder.resolve().is_relative_to(self._inbox.resolve()):
            raise UsageError("watch.inside", path=self._inbox, folder=folder)
        return folder

    def _convert(self, item: Item, kind: str, rule: Rule, folder: Path) -> Handled:
        wanted = ConvertOptions(
            purpose=rule.purpose,  # type: ignore[arg-type]
            dtype=rule.dtype,
            container=rule.container,  # type: ignore[arg-type]
        )
        place = f"{folder}/"
        planned = convert(item.path, place, wanted, stem=item.path.stem, dry_run=True)
        if self._options.dry_run:
            return Handled(path=item.path, state="planned", kind=kind, output=planned.destination)
        fingerprint = Fingerprint.of(item.path.stat())
        output = planned.destination
        working.begin(self._inbox, Working(path=item.path, fingerprint=fingerprint, output=output))
        convert(item.path, place, wanted, stem=item.path.stem, cancel=self._stop,
                run_options=RunOptions())  # fmt: skip
        if not item.unchanged():  # another file has its name now, and is taken in by itself
            return Handled(path=item.path, state="converted", kind=kind, output=output)
        return self._converted(item.path, output, kind)

    def _converted(self, path: Path, output: Path, kind: str | None) -> Handled:
        beside_output(path, output)
        if self._options.originals == "trash":
            original = put_in_trash(path)
        else:
            original = put_aside(path, self._originals)
        return Handled(path=path, state="converted", kind=kind, output=output,
                       original=original)  # fmt: skip

    def _set_aside(self, item: Item, error: KannaError) -> Handled:
        reasons = [Reason.of(error)]
        aside: Path | None = self._failed / item.name
        state: State = "refused" if self._options.dry_run else "aside"
        if not self._options.dry_run:
            try:
                aside = put_aside(item.path, self._failed, reasons)
            except _ITS_OWN as trouble:  # whoever made the item must not end the watching with it
                aside, state = None, "left"
                reasons.append(Reason.of(trouble))
        return Handled(path=item.path, state=state, aside=aside, reasons=tuple(reasons),
                       exit_code=error.exit_code)  # fmt: skip


def _unsafe(report: Scan) -> UnsafeFile:
    """Return why a file is not taken in, by the first of its gravest threats."""
    graver = (one for one in report.threats if one.verdict == report.verdict)
    reasons = [*dict.fromkeys(said(one.note) for one in graver)][:_REASONS]
    return UnsafeFile(f"watch.{report.verdict}", path=report.path, reason="; ".join(reasons))
