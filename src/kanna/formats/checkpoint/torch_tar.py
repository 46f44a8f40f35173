"""The tar format of torch up to 0.1.10: three members, read where they lie in the file.

``storages`` holds a count, per storage a pickle ``(key, location, type)``, an int64 element count
and the bytes, then a pickled list of views ``(key, root key, offset, length)``. ``tensors`` holds a
count, per tensor a pickle ``(key, storage key, type)``, an int32 rank, 4 bytes of padding, int64
sizes, strides and offset. In ``pickle``, persistent ids are keys of tensors. Source:
torch.serialization ``_legacy_load``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError
from kanna.formats.checkpoint.pickle_nodes import Global
from kanna.formats.checkpoint.pickle_vm import FIRST_WINDOW, SMALL_WINDOW, Pickle, read_pickle_at
from kanna.formats.checkpoint.torch_legacy import CountedRecord
from kanna.formats.checkpoint.torch_names import STORAGE_TYPES
from kanna.formats.checkpoint.torch_tensors import Storage, TorchTensors, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from kanna.disk import InputFile
    from kanna.model import Note

    ReadPickle = Callable[[InputFile, int, int], Pickle]

_BLOCK: Final = 512
_MAX_MEMBERS: Final = 64
_MAX_COUNT: Final = 200_000
_MAX_DIMENSIONS: Final = 64
_REGULAR: Final = (b"0", b"\0")


def open_tar(
    file: InputFile, read: ReadPickle = read_pickle_at
) -> tuple[Pickle, TorchTensors, list[Note]]:
    """Read the pickles and tensor headers of a tar file; no storage is touched.

    `read` is asked for every pickle, so that who scans the file sees all of them.

    Raises:
        FormatError: a member is missing, is no regular file, or does not add up.
    """
    try:
        members = tar_members(file)
        storages = _read_storages(file, read, *members["storages"])
        views = _read_tensors(file, read, storages, *members["tensors"])
        pickle = _read_object(file, read, *members["pickle"])
    except (LookupError, ValueError, TypeError, struct.error):
        raise FormatError("checkpoint.tar_broken", path=file.path) from None
    return pickle, TorchTensors(file.path, _no_storage, views=views), []


def _read_object(file: InputFile, read: ReadPickle, at: int, size: int) -> Pickle:
    pickle = read(file, at, FIRST_WINDOW)
    if pickle.end > at + size:
        raise ValueError
    return pickle


def _triple(value: object) -> tuple[object, object, object]:
    if type(value) is not tuple or len(value) != 3:
        raise ValueError
    return value


def _no_storage(_value: object) -> Storage:
    raise ValueError


def tar_members(file: InputFile) -> dict[str, tuple[int, int]]:
    """Return offset and size of the regular members, by name.

    Raises:
        ValueError: a member is no regular file, is doubled, or leads out of the file.
    """
    found: dict[str, tuple[int, int]] = {}
    at = 0
    for _ in range(_MAX_MEMBERS):
        header = file.read(at, _BLOCK)
        if not header.strip(b"\0"):
            break
        name = header[:100].partition(b"\0")[0].decode("utf-8")
        size = int(header[124:136].strip(b"\0 ") or b"0", 8)
        if header[156:157] not in _REGULAR or name in found or at + _BLOCK + size > file.size:
            raise ValueError
        found[name] = at + _BLOCK, size
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK
    return found


def _key(value: object) -> int:
    """Return the key of a storage or tensor: an address, as a number or as text."""
    if type(value) is int or (type(value) is str and value.isdecimal() and len(value) < 24):
        return int(value)
    raise ValueError


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise ValueError
    return value


def _read_storages(file: InputFile, read: ReadPickle, at: int, size: int) -> dict[int, Storage]:
    end = at + size
    storages: dict[int, Storage] = {}
    head = read(file, at, SMALL_WINDOW)
    at = head.end
    for _ in range(_count(head.value)):
        entry = read(file, at, SMALL_WINDOW)
        key, _, kind = _triple(entry.value)
        dtype = STORAGE_TYPES[kind.dotted] if type(kind) is Global else None
        if dtype is None:
            raise ValueError
        count = int.from_bytes(file.read(entry.end, 8), "little", signed=True)
        width = dtype.bits // 8
        at = entry.end + 8 + count * width
        if count < 0 or at > end:
            raise ValueError
        record = CountedRecord(file, entry.end, count * width, width)
        storages[_key(key)] = Storage(record, dtype, 0, record.nbytes)
    for entry in read(file, at, FIRST_WINDOW).value:  # type: ignore[attr-defined]
        target, root, offset, count = entry
        storages[_key(target)] = _part(storages[_key(root)], _count(offset), _count(count))
    return storages


def _part(root: Storage, offset: int, count: int) -> Storage:
    assert root.dtype is not None
    width = root.dtype.bits // 8
    if (offset + count) * width > root.nbytes:
        raise ValueError
    return Storage(root.record, root.dtype, root.offset + offset * width, count * width)


def _read_tensors(
    file: InputFile, read: ReadPickle, storages: dict[int, Storage], at: int, size: int
) -> dict[int, View]:
    end = at + size
    views: dict[int, View] = {}
    head = read(file, at, SMALL_WINDOW)
    at = head.end
    for _ in range(_count(head.value)):
        entry = read(file, at, SMALL_WINDOW)
        key, storage, _ = _triple(entry.value)
        rank = int.from_bytes(file.read(entry.end, 4), "little")
        if rank > _MAX_DIMENSIONS:
            raise ValueError
        at = entry.end + 8 + 16 * rank + 8
        numbers = struct.unpack(f"<{2 * rank + 1}q", file.read(entry.end + 8, 16 * rank + 8))
        if at > end or min(numbers) < 0:
            raise ValueError
        views[_key(key)] = _view(storages[_key(storage)], rank, numbers)
    return views


def _view(storage: Storage, rank: int, numbers: tuple[int, ...]) -> View:
    assert storage.dtype is not None
    return View(storage, storage.dtype, numbers[-1], numbers[:rank], numbers[rank:-1])
