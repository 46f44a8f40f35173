"""What a plan must not do, what is at its destinations already, and how much room it takes."""

from __future__ import annotations

import errno
import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kanna.disk import Fingerprint, InputFile, free_bytes
from kanna.disk.moving import Entry, is_other_case, longest_name, look
from kanna.engine.job import write_error
from kanna.engine.meter import Meter
from kanna.engine.staging import existing_folder
from kanna.errors import Incompatible, KannaError, OutputExists, UsageError
from kanna.filing.subjects import Subject
from kanna.filing.values import FilingPlan, Step
from kanna.findings.file_names import forbidden
from kanna.hashing.cache import HashCache

_CHUNK: Final = 1 << 20


@dataclass(slots=True, kw_only=True)
class Checked:
    """What planning knows: the cache of hashes, who counts the bytes it reads, what is taken."""

    cache: HashCache
    meter: Meter
    claimed: dict[str, Path] = field(default_factory=dict)


def check_sources(subject: Subject, *, taken: bool, protected: bool = False) -> None:
    """Refuse sources that cannot go: their folder is not ours, or links in them would break.

    With `protected`, files without permission to be written are kept, too.

    Raises:
        KannaError: what is in the way.
        OSError: it is not allowed.
    """
    if not taken:
        return
    if not os.access(subject.path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    for member in subject.members:
        if protected and member.entry.kind == "file" and not member.entry.mode & 0o222:
            raise UsageError("filing.protected", path=member.path)
        for name, entry in member.tree:
            if entry.kind == "link" and _leads_out(member.path, name):
                raise Incompatible("filing.leads_out", path=member.path, name=name)


def _leads_out(folder: Path, name: str) -> bool:
    """Whether a link in a folder says by a relative way that leads out of it where it leads."""
    link = folder / name
    target = os.readlink(link)  # noqa: PTH115 - as it is written, not as a path
    led = os.path.normpath(link.parent / target)
    return not os.path.isabs(target) and not Path(led).is_relative_to(folder)  # noqa: PTH117


def check_folder(folder: Path, subject: Subject) -> None:
    """Refuse a destination that is no folder, is the source, or lies in it.

    Raises:
        UsageError: it is one of these.
        KannaError: it must not be written to.
    """
    there = existing_folder(folder)
    if not there.is_dir():
        raise UsageError("engine.no_folder", path=subject.path, folder=there)
    real = folder.resolve()
    if folder.exists() and folder.samefile(subject.path.parent):  # whatever leads to it
        raise UsageError("filing.same_place", path=subject.path, folder=folder)
    inside = subject.path.resolve() in (real, *real.parents)
    if inside and subject.members[0].entry.kind == "folder":
        raise UsageError("filing.into_itself", path=subject.path, folder=folder)
    if not os.access(there, os.W_OK):
        denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        raise write_error(denied, folder / subject.path.name)


def check_name(stem: str, subject: Subject) -> None:
    """Refuse a new name that some system does not allow.

    Raises:
        UsageError: it is such a name.
    """
    if forbidden(stem):
        raise UsageError("filing.bad_stem", stem=stem)
    for member in subject.members:
        name = stem + member.path.name[len(subject.stem) :]
        if forbidden(name) or not _is_text(name):
            raise UsageError("filing.bad_stem", stem=stem)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.isprintable()


def check_steps(steps: Iterable[Step], checked: Checked) -> tuple[Step, ...]:
    """Return the steps, each with what is at its destination already and is the same.

    Raises:
        OutputExists: something else is there, or two steps want the same place.
        Incompatible: a name is too long.
        KannaError: what is there cannot be compared.
        OSError: the system cannot tell.
    """
    wanted = dict(checked.claimed)
    made = tuple(_step(step, wanted, checked) for step in steps)
    checked.claimed = wanted
    return made


def _step(step: Step, wanted: dict[str, Path], checked: Checked) -> Step:
    place = step.destination
    if place is None or step.action == "remove":
        return step
    folder = existing_folder(place.parent)
    if len(os.fsencode(place.name)) > longest_name(folder):
        raise Incompatible("filing.long_name", path=place)
    key = os.path.normcase(place)
    if key in wanted:
        raise OutputExists("filing.twice", path=place, source=step.source)
    if step.source is not None:
        wanted[key] = step.source
    there = look(place)
    if there is None:
        return step
    if step.source is not None and is_other_case(step.source, place):
        return replace(step, replace=())  # names in it lead where they led, for the disk
    if not _same(step, there, checked):
        raise OutputExists("filing.exists", path=place, source=step.source)
    return replace(step, there=there.state)


def _same(step: Step, there: Entry, checked: Checked) -> bool:
    entry, source, place = step.entry, step.source, step.destination
    if entry is None or source is None or place is None or step.replace:
        return False
    if entry.kind == there.kind == "link":
        return os.path.realpath(source) == os.path.realpath(place)
    if not entry.kind == there.kind == "file" or entry.state.size != there.state.size:
        return False
    return there.state.same_file(entry.state) or (
        digest_of(source, checked) == digest_of(place, checked)
    )


def digest_of(path: Path, checked: Checked) -> str:
    """Return the SHA-256 of a file, from the cache or its bytes.

    Raises:
        KannaError: it cannot be read, or changed meanwhile.
    """
    with closing(InputFile(path)) as file:
        found = checked.cache.find(file.fingerprint)
        if found is not None and found.origin == "kanna" and found.digests.sha256:
            return found.digests.sha256
        file.will_stream()
        sha256, done = hashlib.sha256(), 0
        while done < file.size:
            piece = file.read(done, min(_CHUNK, file.size - done))
            sha256.update(piece)
            done += len(piece)
            checked.meter.tick(done)
        if not file.unchanged():
            raise KannaError("filing.changed", path=path)
    return sha256.hexdigest()


def unchanged(step: Step) -> bool:
    """Whether the source is what it was when the step was planned."""
    if step.source is None or step.entry is None:
        return True
    now = look(step.source, follow=step.action == "copy")
    if now is None or now.kind != step.entry.kind:
        return False
    if now.kind != "folder":
        return now.state == step.entry.state
    return now.state.same_file(step.entry.state) and all(
        same_entry(step.source / name, entry) for name, entry in step.tree
    )


def same_entry(path: Path, entry: Entry) -> bool:
    """Whether a path still holds what it held; of a folder, whether it is that folder."""
    now = look(path)
    if now is None or now.kind != entry.kind:
        return False
    return now.state.same_file(entry.state) if now.kind == "folder" else now.state == entry.state


def copies(step: Step) -> bool:
    """Whether a step will write the bytes anew: a copy, or a move to another disk."""
    if not step.makes or step.entry is None or step.destination is None:
        return False
    if step.action == "copy" or step.replace:
        return True
    return existing_folder(step.destination.parent).stat().st_dev != step.entry.state.device


def room_for(plan: FilingPlan) -> tuple[Mapping[Path, int], list[tuple[Path, KannaError]]]:
    """Return the bytes that each disk must have free, by one of its folders, and which do not."""
    needed: dict[int, int] = defaultdict(int)
    folders: dict[int, Path] = {}
    for step in (step for one in plan.todo for step in one.steps if copies(step)):
        assert step.destination is not None
        folder = existing_folder(step.destination.parent)
        device = folder.stat().st_dev
        needed[device] += step.size
        folders.setdefault(device, folder)
    room = {folders[device]: size for device, size in needed.items()}
    trouble: list[tuple[Path, KannaError]] = []
    for folder, size in room.items():
        free = free_bytes(folder)
        if free < size:
            trouble.append(
                (folder, KannaError("engine.no_room", path=folder, size=size, free=free))
            )
    return room, trouble


def same_state(path: Path, state: Fingerprint) -> bool:
    """Whether a path holds the very file that is meant."""
    now = look(path)
    return now is not None and now.state == state
