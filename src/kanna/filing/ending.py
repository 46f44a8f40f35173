"""How a set that was begun comes to an end: taken back, or finished, in this process or the next.

Nothing is removed here that does not stand somewhere else, verified: a destination goes only while
its source is there as it was; a source goes only while every destination of its set is.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from kanna.disk import Fingerprint, InputFile
from kanna.disk.moving import (
    Entry,
    is_other_case,
    link_target,
    look,
    remove,
    remove_folder,
    rename,
)
from kanna.engine.staging import remove_leftovers
from kanna.errors import KannaError
from kanna.filing.checking import same_entry
from kanna.filing.copying import part_folder, remove_tree
from kanna.filing.journal import Progressed
from kanna.filing.values import MAKES, Step
from kanna.hashing.files import read_digests
from kanna.model import Note


def take_back(
    steps: Sequence[Step], progress: Progressed, token: str, tried: Collection[int] | None = None
) -> None:
    """Bring back the old set: what was renamed gets its name again, what was made goes.

    Only destinations of the steps `tried` are touched, where it is known which were.

    Raises:
        OSError: the disk fails.
    """
    for n, step in reversed(tuple(enumerate(steps))):
        if step.makes and step.destination is not None:
            _remove_temporary(step, step.destination, token)
            if tried is None or n in tried:
                _take_back(step, step.destination, progress, n)
    for folder in reversed(progress.folders):
        remove_folder(folder)


def _remove_temporary(step: Step, place: Path, token: str) -> None:
    if step.entry is not None and step.entry.kind == "folder":
        remove_tree(part_folder(place, token), step.tree)
    elif place.parent.is_dir():
        remove_leftovers(place)


def _take_back(step: Step, place: Path, progress: Progressed, n: int) -> None:
    now = look(place)
    if now is None:
        return
    if step.source is not None and is_other_case(step.source, place):
        rename(place, step.source)
        return
    source = None if step.source is None else look(step.source, follow=step.action == "copy")
    if step.source is not None and source is None:
        if _was_source(step, now):
            rename(place, step.source)
    elif now.kind == "folder":
        staged = progress.staged.get(n)
        if staged is not None and now.state.same_file(staged):
            remove_tree(place, step.tree)
    elif _is_ours(
        step, place, now, source, progress.staged.get(n), progress.digests.get(n)
    ) and _is_needless(step):
        remove(place)


def _is_needless(step: Step) -> bool:
    """Whether the source of a step is, at this moment, what it was: another move may be faster."""
    if step.source is None or step.entry is None:
        return True
    now = look(step.source, follow=step.action == "copy")
    if now is None or now.kind != step.entry.kind:
        return False
    was = step.entry.state
    return (now.state.size, now.state.mtime_ns) == (was.size, was.mtime_ns)


def _was_source(step: Step, now: Entry) -> bool:
    entry = step.entry
    if entry is None or now.kind != entry.kind:
        return False
    return now.state.same_file(entry.state) if now.kind == "folder" else now.state == entry.state


def _is_ours(
    step: Step,
    place: Path,
    now: Entry,
    source: Entry | None,
    staged: Fingerprint | None,
    sha256: str | None,
) -> bool:
    """Whether what stands at a destination was made by this step, and is not needed."""
    if source is not None and now.kind == source.kind == "link":
        assert step.source is not None
        return os.readlink(place) == link_target(step.source, place)  # noqa: PTH115 - as written
    if now.kind != "file":
        return False
    if staged is not None and is_staged(place, now, staged, sha256):
        return True
    if source is not None and now.state.same_file(source.state):
        return True  # another name of the source
    return now.state.size == 0 and step.size > 0  # a name that was taken, and nothing put there


def is_staged(place: Path, now: Entry, staged: Fingerprint, sha256: str | None) -> bool:
    """Whether a file is the one that was staged; where inodes do not last, its bytes say it."""
    if now.state == staged:
        return True
    known = (staged.size, staged.mtime_ns) == (now.state.size, now.state.mtime_ns)
    return known and sha256 is not None and sha256_of(place) == sha256


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None where it cannot be read."""
    with suppress(KannaError), closing(InputFile(path)) as file:
        return read_digests(file).sha256
    return None


def finish(steps: Sequence[Step], progress: Progressed) -> tuple[Note, ...]:
    """Remove the sources of a complete set; return what was left, and why.

    What is removed already is passed over, so that this can be done again.
    """
    lost = [
        step
        for n, step in enumerate(steps)
        if step.action in MAKES and not _arrived(step, progress, n)
    ]
    if lost:
        return tuple(Note("filing.not_there", {"path": step.destination}) for step in lost)
    return tuple(_removed(steps))


def _arrived(step: Step, progress: Progressed, n: int) -> bool:
    """Whether a destination is what it was to become."""
    place, entry = step.destination, step.entry
    now = None if place is None else look(place)
    if place is None or now is None:
        return False
    if step.there is not None:
        return now.state == step.there or now.kind == "link"
    if entry is not None and entry.kind == "link":
        return now.kind == "link"
    staged = progress.staged.get(n)
    if now.kind == "folder":
        return _is_folder(now.state, staged or (entry.state if entry else None))
    if staged is not None:
        return is_staged(place, now, staged, progress.digests.get(n))
    return entry is not None and now.state.same_file(entry.state)


def _is_folder(now: Fingerprint, wanted: Fingerprint | None) -> bool:
    return wanted is not None and now.same_file(wanted)


def _removed(steps: Sequence[Step]) -> Iterator[Note]:
    """Remove every source, companions first, and yield what could not be."""
    for step in reversed(steps):
        if not step.takes or step.source is None or step.entry is None:
            continue
        try:
            gone = _remove(step, step.source)
        except OSError as error:
            reason = error.strerror or error
            yield Note("filing.left_behind", {"path": step.source, "reason": reason})
        else:
            if not gone:
                yield Note("filing.left_changed", {"path": step.source})


def _remove(step: Step, source: Path) -> bool:
    place = step.destination
    if look(source) is None or (place is not None and is_other_case(source, place)):
        return True
    entry = step.entry
    assert entry is not None
    if entry.kind == "folder":
        return remove_tree(source, step.tree, unless_changed=True)
    if not same_entry(source, entry):
        return False
    remove(source)
    return True
