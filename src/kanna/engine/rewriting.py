"""Other metadata for a safetensors file: its header rewritten, its tensor data left alone.

Where the new header has room in the place of the old one, only that is written to, so that it takes
no time whatever the size of the file (`kanna.disk.undo` makes that safe). Else the data is copied
behind the new header to a new file, as the engine makes all files: written, synced, read back, then
published in one step. Such a header ends in spaces, so that the next edit has room.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from kanna.disk import InputFile
from kanna.disk.undo import replace_bytes
from kanna.disk.writing import OutputFile
from kanna.engine.job import write_error
from kanna.engine.meter import Meter
from kanna.engine.new_header import Rewriting, check_made
from kanna.engine.options import Progress, RunOptions, Verification
from kanna.engine.staging import Staging, check_destination
from kanna.errors import FormatError, Interrupted, KannaError, UsageError
from kanna.formats.safetensors import open_safetensors

_CHUNK: Final = 16 << 20
_HASHED_CHUNK: Final = 2 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A file with its new header: where it is, and the SHA-256 of its data if that was asked for.

    `in_place` says that only the header was written to.
    """

    path: Path
    size: int
    in_place: bool
    seconds: float
    data_sha256: str | None
    verified: Verification


def rewrite(
    planned: Rewriting,
    metadata: Mapping[str, str],
    destination: Path | None,
    *,
    options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
) -> Rewritten:
    """Write the planned header: into the file itself, or into a new file at `destination`.

    A header that does not fit makes a new file also where `destination` is None; it takes the
    place of the old one once it is verified. With ``options.verify`` ``full``, all data is hashed
    before and after. `model` is closed afterwards.

    Raises:
        UsageError: the file is a link, is write-protected, or has other names and no force is used.
        OutputExists: `destination` is there, and no force is used.
        FormatError: the file was changed in the meantime.
        Incomplete: somebody else is editing it right now.
        Interrupted: Ctrl-C, or `cancel`.
        KannaError: the disk is full or broken. Whatever is raised, the file is as it was.
    """
    options = options or RunOptions()
    path = destination or planned.model.path
    moved = destination is not None or not planned.fits
    full = options.verify == "full"
    meter = Meter(planned.data_bytes * (2 * full + 2 * moved), progress, cancel)
    try:
        check_target(planned, destination, force=options.force)
        before = data_sha256(planned.file, len(planned.old_head), meter) if full else None
        if moved:
            forced = options.force or destination is None
            _write_anew(planned, metadata, path, meter, digest=before, force=forced)
        else:
            replace_bytes(path, planned.file.fingerprint, 0, planned.old_head, planned.head)
            _verify_in_place(path, planned, metadata, meter, before)
    except KeyboardInterrupt:
        if not moved and _stands(path, planned.head):
            raise  # too late to take it back
        raise Interrupted("engine.interrupted") from None
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        planned.model.close()
    return Rewritten(path=path, size=planned.size, in_place=not moved, seconds=meter.seconds,
                     data_sha256=before, verified=options.verify)  # fmt: skip


def _stands(path: Path, head: bytes) -> bool:
    with closing(InputFile(path)) as file:
        return file.size >= len(head) and file.read(0, len(head)) == head


def check_target(planned: Rewriting, destination: Path | None, *, force: bool) -> None:
    """Refuse what must not be written to, before anything is.

    Raises:
        UsageError: the file is a link, is write-protected, or has other names and no force is used.
        OutputExists: `destination` is there, and no force is used.
        KannaError: there is no room.
        OSError: it is not allowed.
    """
    path = planned.model.path
    if destination is not None:
        check_destination(destination, destination.parent, planned.size, planned.model.files,
                          force=force)  # fmt: skip
        return
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise UsageError("engine.edit_link", path=path, target=os.path.realpath(path))
    if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError("engine.edit_protected", path=path)
    if planned.fits and status.st_nlink > 1 and not force:
        raise UsageError("engine.edit_names", path=path, names=status.st_nlink)
    if not planned.fits:
        check_destination(path, path.parent, planned.size, (), force=True)


def data_sha256(file: InputFile, start: int, meter: Meter) -> str:
    """Return the SHA-256 of everything from `start` on: Civitai's AutoV3 begins with it.

    Raises:
        FormatError: the file became shorter.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(min(_HASHED_CHUNK, max(file.size - start, 0))))
    file.will_stream()
    for offset in range(start, file.size, _HASHED_CHUNK):
        piece = buffer[: file.size - offset]
        file.read_into(offset, piece)
        digest.update(piece)
        meter.tick(offset + len(piece) - start)
    meter.stage(file.size - start)
    return digest.hexdigest()


def _write_anew(
    planned: Rewriting,
    metadata: Mapping[str, str],
    path: Path,
    meter: Meter,
    *,
    digest: str | None,
    force: bool,
) -> None:
    staging = Staging(path, planned.size, force=force)
    with staging as file:
        file.write(memoryview(planned.head), 0)
        _copy_data(planned, file, meter)
        file.sync()
        if digest is not None:
            file.forget()
        if _verify(file.path, planned, metadata, meter, full=digest is not None) != digest:
            raise KannaError("engine.not_as_written", path=file.path)
        if not planned.file.unchanged():
            raise FormatError("engine.input_changed", path=planned.file.path)
        planned.model.close()  # Windows replaces no file that is open
        staging.publish()


def _copy_data(planned: Rewriting, file: OutputFile, meter: Meter) -> None:
    source, start = planned.file, len(planned.old_head)
    source.will_stream()
    for done in range(0, planned.data_bytes, _CHUNK):
        count = min(_CHUNK, planned.data_bytes - done)
        file.move(source, start + done, count, len(planned.head) + done)
        meter.tick(2 * (done + count))
    meter.stage(2 * planned.data_bytes)


def _verify_in_place(
    path: Path,
    planned: Rewriting,
    metadata: Mapping[str, str],
    meter: Meter,
    digest: str | None,
) -> None:
    if _verify(path, planned, metadata, meter, full=digest is not None) != digest:
        raise KannaError("engine.edit_damaged", path=path)


def _verify(
    path: Path, planned: Rewriting, metadata: Mapping[str, str], meter: Meter, *, full: bool
) -> str | None:
    """Read back what was written; in a `full` run all of it, and return the digest of the data."""
    with closing(InputFile(path)) as file:
        check_made(planned, open_safetensors(file), metadata)
        return data_sha256(file, len(planned.head), meter) if full else None
