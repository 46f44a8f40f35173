"""Which storage a persistent id of torch means: its record, number type and length."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kanna.formats.checkpoint import torch_names as names
from kanna.formats.checkpoint.pickle_nodes import Global

if TYPE_CHECKING:
    from kanna.dtypes import DType


class StorageId(NamedTuple):
    """A persistent id, taken apart: ``('storage', type, key, location, numel[, view])``.

    `view` is a part of the storage that torch before 0.4 named: its key, offset and length.
    """

    key: str
    type: str
    dtype: DType | None
    nbytes: int
    view: tuple[str, int, int] | None

    @property
    def itemsize(self) -> int:
        """The bytes of one element; quantised ones take one or four."""
        return _itemsize(self.type, self.dtype)


def parse_storage_id(value: object, length: int) -> StorageId:
    """Return the parts of a persistent id that must have `length` of them.

    Raises:
        ValueError: it is not a storage, or its parts are not of the right kind.
    """
    if type(value) is not tuple or len(value) != length or value[0] != "storage":
        raise ValueError
    kind, key, numel = value[1], value[2], value[4]
    type_name = kind.dotted if type(kind) is Global else ""
    if type_name not in names.STORAGE_TYPES or type(numel) is not int or numel < 0:
        raise ValueError
    if type(key) is not str or not (key.isascii() and key.isdigit()):
        raise ValueError
    dtype = names.STORAGE_TYPES[type_name]
    view = _parse_view(value[5]) if length == 6 else None
    return StorageId(key, type_name, dtype, numel * _itemsize(type_name, dtype), view)


def _itemsize(type_name: str, dtype: DType | None) -> int:
    if dtype is not None:
        return dtype.bits // 8
    return 4 if type_name == "torch.QInt32Storage" else 1


def _parse_view(value: object) -> tuple[str, int, int] | None:
    if value is None:
        return None
    if type(value) is not tuple or len(value) != 3:
        raise ValueError
    key, offset, size = value
    if type(key) is not str or type(offset) is not int or type(size) is not int:
        raise ValueError
    if offset < 0 or size < 0:
        raise ValueError
    return key, offset, size
