"""The stream format of torch before 1.6: five pickles back to back, then the storages.

::

    magic  protocol  system  object  keys  { numel:int64  bytes } per key

Storages are little-endian whatever the writing system said. An element's size is known only from
the object pickle. Source: torch.serialization ``_legacy_save`` and ``_legacy_load``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError
from kanna.formats.checkpoint.pickle_vm import SMALL_WINDOW, Pickle, read_pickle_at
from kanna.formats.checkpoint.tensor_data import RecordRun
from kanna.formats.checkpoint.torch_storages import StorageId, parse_storage_id
from kanna.formats.checkpoint.torch_tensors import Storage, TorchTensors
from kanna.formats.wrong_content import explain
from kanna.model import Note

if TYPE_CHECKING:
    from kanna.disk import InputFile
    from kanna.model import Data

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001


class CountedRecord:
    """A storage with its element count in front, which is checked when the bytes are needed."""

    __slots__ = ("_checked", "_itemsize", "_offset", "file", "nbytes")

    def __init__(self, file: InputFile, offset: int, nbytes: int, itemsize: int) -> None:
        self.file = file
        self.nbytes = nbytes
        self._offset = offset
        self._itemsize = itemsize
        self._checked = False

    def start(self) -> int:
        """Return where the bytes begin.

        Raises:
            FormatError: the count in front of them is not the one the pickle declared.
        """
        if not self._checked:
            count = int.from_bytes(self.file.read(self._offset, 8), "little", signed=True)
            if count * self._itemsize != self.nbytes:
                raise FormatError("checkpoint.legacy_count", path=self.file.path)
            self._checked = True
        return self._offset + 8

    def part(self, offset: int, nbytes: int) -> Data:
        """Return `nbytes` of the bytes from `offset`."""
        return RecordRun(self, offset, nbytes)


def open_legacy(file: InputFile) -> tuple[Pickle, TorchTensors, list[Note]]:
    """Read the five pickles of a legacy file; no storage is touched.

    Raises:
        FormatError: it is no legacy file, or a pickle is broken, or lengths do not add up.
    """
    version = read_pickle_at(file, _read_magic(file), SMALL_WINDOW)
    if type(version.value) is not int or version.value != _PROTOCOL:
        raise FormatError("checkpoint.legacy_version", path=file.path)
    system = read_pickle_at(file, version.end, SMALL_WINDOW)
    pickle = read_pickle_at(file, system.end)
    keys = read_pickle_at(file, pickle.end)
    storages = _Storages(file, pickle, keys)
    return pickle, TorchTensors(file.path, storages.find), _notes(file, system.value)


def _read_magic(file: InputFile) -> int:
    """Return the position after the magic number."""
    try:
        magic = read_pickle_at(file, 0, SMALL_WINDOW)
    except FormatError:
        raise explain(file) from None
    if type(magic.value) is not int or magic.value != _MAGIC:
        raise FormatError("checkpoint.not_torch", path=file.path)
    return magic.end


def _notes(file: InputFile, system: object) -> list[Note]:
    if type(system) is not dict:
        raise FormatError("checkpoint.legacy_version", path=file.path)
    return [] if system.get("little_endian", True) else [Note("checkpoint.legacy_big_endian")]


class _Storages:
    """Where each storage lies, computed from the keys and what the object pickle declares."""

    __slots__ = ("_records", "_views")

    def __init__(self, file: InputFile, pickle: Pickle, keys: Pickle) -> None:
        try:
            declared = _declared(pickle.persistent)
        except ValueError:
            raise FormatError("checkpoint.legacy_storage", path=file.path) from None
        order = keys.value
        if type(order) is not list or not all(type(key) is str for key in order):
            raise FormatError("checkpoint.legacy_keys", path=file.path)
        if len(order) != len(declared) or set(order) != declared.keys():
            raise FormatError("checkpoint.legacy_keys", path=file.path)
        self._records: dict[str, CountedRecord] = {}
        self._views: dict[str, tuple[str, int, int]] = {}
        offset = keys.end
        for key in order:
            storage = declared[key]
            record = CountedRecord(file, offset, storage.nbytes, storage.itemsize)
            self._records[key] = record
            offset += 8 + storage.nbytes
        if offset != file.size:
            missing = offset - file.size
            raise FormatError("checkpoint.legacy_size", path=file.path, missing=missing)

    def find(self, value: object) -> Storage:
        """Return the storage, or the part of one, that a persistent id names.

        Raises:
            ValueError: the part lies outside, or one key names two parts.
        """
        storage = parse_storage_id(value, 6)
        record = self._records[storage.key]
        if storage.view is None:
            return Storage(record, storage.dtype, 0, storage.nbytes)
        key, offset, size = storage.view
        part = (storage.key, offset * storage.itemsize, size * storage.itemsize)
        if part[1] + part[2] > record.nbytes or self._views.setdefault(key, part) != part:
            raise ValueError
        return Storage(record, storage.dtype, *part[1:])


def _declared(persistent: tuple[object, ...]) -> dict[str, StorageId]:
    """Return every storage that the object pickle names, by key."""
    declared: dict[str, StorageId] = {}
    for value in persistent:
        if type(value) is tuple and value[:1] == ("module",):
            continue
        storage = parse_storage_id(value, 6)
        first = declared.setdefault(storage.key, storage)
        if (first.type, first.nbytes) != (storage.type, storage.nbytes):
            raise ValueError
    return declared
