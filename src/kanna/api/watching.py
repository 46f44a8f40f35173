"""The inbox: what lands in a folder is looked at, converted by rules and put away.

One item is worked on at a time. What it is converted to appears under its final name only when it
is whole, then what lies beside it follows, then the original is put away: whatever is broken off,
the next start finishes (`kanna.inbox.working`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from kanna.api.library_filing import settle_filings
from kanna.api.making import words
from kanna.api.putting_away import tell_library
from kanna.api.reading import StrPath
from kanna.api.taking_in import Handled, Originals, TakingIn, WatchOptions
from kanna.disk import absolute
from kanna.disk.holding import held
from kanna.dtypes import TARGETS
from kanna.errors import UsageError
from kanna.families.places import kind_words
from kanna.inbox.folders import LAYOUTS
from kanna.inbox.landing import Item, landed
from kanna.inbox.rules import Rules, preset_rules, read_rules
from kanna.inbox.settling import Settling

_POLL: Final = 1.0  # seconds between two looks; a look costs a `stat` for each file
_LOCK: Final = ".kanna-inbox.lock"


def watch_words(option: str) -> tuple[str, ...]:
    """Return the words that an option of `WatchOptions` can have."""
    return {"layout": LAYOUTS, "originals": get_args(Originals)}[option]


def watch_rules(path: StrPath | None, purpose: str | None) -> Rules:
    """Return the rules in the file at `path`, or those that a preset alone makes.

    Raises:
        UsageError: both are given, or the file makes no sense.
        Incomplete: there is no such file.
    """
    if path is None:
        return preset_rules(purpose)
    if purpose is not None:
        raise UsageError("watch.for_and_rules")
    allowed = {"for": words("purpose"), "to": words("container"), "dtype": TARGETS}
    return read_rules(Path(path).absolute(), tuple(kind_words()), allowed)


def watch_inbox(
    inbox: StrPath, options: WatchOptions, *, stop: threading.Event | None = None
) -> Iterator[Handled]:
    """Yield what became of each item that lands in `inbox`, for as long as `stop` is not set.

    With ``once``, it ends when nothing is left but what is still arriving.

    Raises:
        UsageError: it is no folder, another process watches it, or a folder makes no sense.
        KannaError: a destination cannot be written; what landed stays where it is.
    """
    place = absolute(inbox)
    stop = stop or threading.Event()
    try:
        with held(place / _LOCK) as alone:
            if not alone:
                raise UsageError("watch.held", path=place)
            yield from _watch(place, options, stop)
    except OSError as error:
        raise UsageError("watch.no_inbox", path=place, reason=error.strerror) from error


def _watch(inbox: Path, options: WatchOptions, stop: threading.Event) -> Iterator[Handled]:
    taking, settling = TakingIn(inbox, options, stop), Settling(options.rest)
    if not options.dry_run:
        settle_filings()  # a run that was killed may have left a model half moved
    resumed = taking.resume()
    if resumed is not None:
        yield resumed
    told: set[Item] = set()  # what stays where it is, and was told of
    while not stop.is_set():
        items = [item for item in landed(inbox, taking.apart) if item not in told]
        ready = settling.ready(items, time.monotonic())
        new: set[Path] = set()
        for item in ready:
            handled = taking.take_in(item, settling.resting(item, time.monotonic()))
            if handled is not None:
                told |= {item} if options.dry_run or handled.state == "left" else set()
                new |= {handled.output} if handled.output and not options.dry_run else set()
                yield handled
        tell_library(new)
        if options.once and all(item.coming for item in items):
            yield from (Handled(path=item.path, state="arriving") for item in items)
            return
        stop.wait(min(_POLL, options.rest) if ready or options.once else _POLL)
