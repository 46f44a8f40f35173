"""Files copied so that they can take the place of what they were copied from.

Each is written under a temporary name beside its destination, synced, dropped from the page cache,
read again and compared by digest; only then it may get its name. Time, permissions and extended
attributes go along.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from kanna.disk import Fingerprint, InputFile
from kanna.disk.folders import sync_folder
from kanna.disk.moving import Entry, keep_attributes, look, make_link, remove, remove_folder
from kanna.disk.writing import OutputFile
from kanna.errors import FormatError, KannaError
from kanna.filing.rewording import reworded
from kanna.filing.values import Step
from kanna.hashing.digests import Digests
from kanna.hashing.files import read_digests

Tick = Callable[[int], None]

_CHUNK: Final = 2 << 20
_LONGEST: Final = 200  # bytes of a name, marks of our own included


def fill_copy(
    source: Path, state: Fingerprint, file: OutputFile, place: Path, tick: Tick
) -> Digests:
    """Make `file`, which is to become `place`, a copy of `source` in the `state` that is known.

    Raises:
        FormatError: the source is not in that state.
        KannaError: it cannot be read, or does not read back as it was written.
        OSError: it cannot be written.
    """
    with closing(InputFile(source)) as reading:
        if reading.fingerprint != state:
            raise FormatError("filing.changed", path=source)
        reading.will_stream()
        sha256 = hashlib.sha256()
        for offset in range(0, reading.size, _CHUNK):
            piece = reading.read(offset, min(_CHUNK, reading.size - offset))
            sha256.update(piece)
            file.write(memoryview(piece), offset)
            tick(offset + len(piece))
        if not reading.unchanged():
            raise FormatError("filing.changed", path=source)
        keep_attributes(reading.fd, file.fd, file.path)
    file.sync()
    file.forget()
    return read_back(file.path, sha256.hexdigest(), place, state.size, tick)


def fill_text(step: Step, file: OutputFile) -> Digests:
    """Make `file` what a step writes: a text, or its source with other names in it.

    Raises:
        KannaError: it does not read back as it was written.
        OSError: it cannot be written.
    """
    assert step.destination is not None
    data = content_of(step)
    file.write(memoryview(data), 0)
    if step.source is not None:
        with closing(InputFile(step.source)) as reading:
            keep_attributes(reading.fd, file.fd, file.path)
    file.sync()
    file.forget()
    digest = hashlib.sha256(data).hexdigest()
    return read_back(file.path, digest, step.destination, 0, lambda _: None)


def content_of(step: Step) -> bytes:
    """Return what a step writes.

    Raises:
        KannaError: the source cannot be read.
    """
    if step.text is not None:
        return step.text.encode("utf-8", "surrogateescape")
    assert step.source is not None
    with closing(InputFile(step.source)) as reading:
        return reworded(reading.read(0, reading.size), step.role, step.replace)


def read_back(path: Path, sha256: str, place: Path, before: int, tick: Tick) -> Digests:
    """Return the digests of what was written to `path`, which is to become `place`.

    Raises:
        KannaError: it is not what was written.
    """
    done = before

    def count(size: int) -> None:
        nonlocal done
        done += size
        tick(done)

    with closing(InputFile(path)) as file:
        digests = read_digests(file, threads=2, tick=count)
    if digests.sha256 != sha256:
        raise KannaError("engine.not_as_written", path=place)
    return digests


def part_folder(destination: Path, token: str) -> Path:
    """Return where a folder is put together that is to become `destination`."""
    stem = os.fsencode(destination.name)[:_LONGEST].decode(errors="ignore")
    return destination.with_name(f".{stem}.kanna-{token}.part")


def fill_folder(step: Step, token: str, tick: Tick) -> Path:
    """Copy a folder to the place where it is put together, and return that.

    Raises:
        KannaError: as `fill_copy`.
        OSError: it cannot be written.
    """
    assert step.source is not None
    assert step.destination is not None
    part = part_folder(step.destination, token)
    part.mkdir()
    done = 0
    for name, entry in step.tree:
        _fill_entry(step, name, entry, part / name, _after(done, tick))
        done += 2 * entry.state.size if entry.kind == "file" else 0
    for name, entry in reversed(step.tree):
        if entry.kind == "folder":
            sync_folder(part / name)
    sync_folder(part)
    return part


def _after(done: int, tick: Tick) -> Tick:
    return lambda count: tick(done + count)


def _fill_entry(step: Step, name: str, entry: Entry, place: Path, tick: Tick) -> None:
    assert step.source is not None
    source = step.source / name
    if entry.kind == "folder":
        place.mkdir()
        return
    if entry.kind == "link" and (step.action == "move" or not _is_file(source)):
        make_link(os.readlink(source), place)  # noqa: PTH115 - as it is written
        return
    state = entry.state
    if entry.kind == "link":  # a copy stands for itself: it holds what the link leads to
        led = look(source, follow=True)
        assert led is not None
        state = led.state
    file = OutputFile(place)
    try:
        file.reserve(state.size)
        fill_copy(source, state, file, place, tick)
    finally:
        file.close()


def _is_file(path: Path) -> bool:
    led = look(path, follow=True)
    return led is not None and led.kind == "file"


def remove_tree(
    folder: Path, tree: tuple[tuple[str, Entry], ...], *, unless_changed: bool = False
) -> bool:
    """Remove what a folder was made of and nothing else; return whether it is gone.

    With `unless_changed`, what is not what it was is kept, too.

    Raises:
        OSError: something cannot be removed.
    """
    for name, entry in reversed(tree):
        now = look(folder / name)
        if now is None or (now.kind == "folder") != (entry.kind == "folder"):
            continue
        if now.kind == "folder":
            remove_folder(folder / name)
        elif not unless_changed or now.state == entry.state:
            remove(folder / name)
    return remove_folder(folder)
