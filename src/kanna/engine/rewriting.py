"""Other metadata for a safetensors file: its header rewritten, its tensor data left alone.

Where the new header has room in the place of the old one, only that is written to, so that it takes
no time whatever the size of the file (`kanna.disk.undo` makes that safe). Else the data is copied
behind the new header to a new file, as the engine makes all files: written, synced, read back, then
published in one step. Such a header ends in spaces, so that the next edit has room.
Source: safetensors `tensor.rs`: spaces may end a header; offsets count from the end of it.
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
from kanna.engine.options import Progress, RunOptions, Verification
from kanna.engine.staging import Staging, check_destination
from kanna.errors import FormatError, Incompatible, Interrupted, KannaError, UsageError
from kanna.formats.layout import check_text
from kanna.formats.safetensors import HEADER_LIMIT, open_safetensors
from kanna.formats.safetensors_layout import render
from kanna.model import ModelFile

_LENGTH: Final = 8  # bytes before the header that say how long it is
_PAGE: Final = 4096
_MOST_ROOM: Final = 1 << 16
_ROOM_SHARE: Final = 1024  # room for edits is that part of the data, from a page up
_CHUNK: Final = 16 << 20
_HASHED_CHUNK: Final = 2 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """A new header for a file, ready to be written: whether it fits, and what is left beside it.

    `head` is everything before the tensor data, `old_head` what stands there now. `room` is how
    many bytes the metadata can grow until the data has to be moved.
    """

    model: ModelFile
    old_head: bytes
    head: bytes
    room: int

    @property
    def file(self) -> InputFile:
        """The open file."""
        return self.model.files[0]

    @property
    def fits(self) -> bool:
        """Whether the new header has the place of the old one."""
        return len(self.head) == len(self.old_head)

    @property
    def data_bytes(self) -> int:
        """The bytes of all tensor data."""
        return self.file.size - len(self.old_head)

    @property
    def size(self) -> int:
        """The bytes that the file will have."""
        return len(self.head) + self.data_bytes


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


def head_of(file: InputFile) -> bytes:
    """Return everything before the tensor data of a safetensors file."""
    length = int.from_bytes(file.read(0, _LENGTH), "little")
    return file.read(0, _LENGTH + length)


def room_in(head: bytes) -> int:
    """Return how many bytes a header can grow where it is."""
    return len(head) - len(head.rstrip(b" "))


def plan_rewriting(
    model: ModelFile, metadata: Mapping[str, str], *, anew: bool = False
) -> Rewriting:
    """Return the header that `model`, an open safetensors file, gets with `metadata`.

    `anew` asks for room at its end even where it would fit as it is.

    Raises:
        Incompatible: the header would be larger than readers accept, or a text is not Unicode.
        KannaError: the header would not read back as what was asked for.
    """
    file = model.files[0]
    old = head_of(file)
    for text in (*metadata, *metadata.values()):
        check_text(text)
    raw = render(metadata, _entries(model, len(old))).rstrip(b" ")
    size = len(old) if not anew and _LENGTH + len(raw) <= len(old) else _roomy(len(raw), file, old)
    if size - _LENGTH > HEADER_LIMIT:
        raise Incompatible("layout.header_too_large", size=len(raw), limit=HEADER_LIMIT)
    head = (size - _LENGTH).to_bytes(_LENGTH, "little") + raw.ljust(size - _LENGTH)
    planned = Rewriting(model=model, old_head=old, head=head, room=room_in(head))
    _check(planned, open_safetensors(_Planned(planned)), metadata)
    return planned


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


def _entries(model: ModelFile, start: int) -> dict[str, object]:
    """Return the tensors of the header, as they are there."""
    entries: dict[str, object] = {}
    for name, tensor in model.items():
        extent = tensor.data.extent()
        assert extent is not None
        begin = extent.offset - start
        entries[name] = {"dtype": tensor.dtype.safetensors, "shape": tensor.shape,
                         "data_offsets": [begin, begin + extent.nbytes]}  # fmt: skip
    return entries


def _roomy(length: int, file: InputFile, old: bytes) -> int:
    """Return the size of all before the data: a multiple of a page, with room for edits."""
    room = min(max((file.size - len(old)) // _ROOM_SHARE, _PAGE), _MOST_ROOM)
    size = -(-(_LENGTH + length + room) // _PAGE) * _PAGE
    tight = -(-(_LENGTH + length) // _LENGTH) * _LENGTH
    return size if size - _LENGTH <= HEADER_LIMIT else tight


class _Planned(InputFile):
    """The file as it will be, for a reader of headers: nothing is written yet."""

    __slots__ = ("_head",)

    def __init__(self, planned: Rewriting) -> None:
        """Stand for the file of `planned`, with the new header."""
        self.path = planned.model.path
        self.fd = planned.file.fd
        self.fingerprint = planned.file.fingerprint
        self.size = planned.size
        self._head = planned.head

    def read_into(self, offset: int, out: memoryview) -> None:
        """Fill `out` from the header."""
        out[:] = self._head[offset : offset + len(out)]


def _check(planned: Rewriting, made: ModelFile, metadata: Mapping[str, str]) -> None:
    """Compare what was made with what was asked for: same tensors, same data, that metadata."""
    shift = len(planned.head) - len(planned.old_head)
    same = [*made] == [*planned.model] and all(
        (new.dtype, new.shape) == (old.dtype, old.shape) and _place(new.data.extent()) == (
            _place(old.data.extent(), shift)
        )
        for new, old in zip(made.values(), planned.model.values(), strict=True)
    )  # fmt: skip
    if not same or made.metadata != metadata or made.size != planned.size:
        raise KannaError("engine.not_as_planned", path=planned.model.path)


def _place(extent: object, shift: int = 0) -> tuple[int, int]:
    offset, nbytes = getattr(extent, "offset", 0), getattr(extent, "nbytes", 0)
    return offset + shift, nbytes


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
        _check(planned, open_safetensors(file), metadata)
        return data_sha256(file, len(planned.head), meter) if full else None
