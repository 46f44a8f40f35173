"""From the rebuild calls of a torch pickle to tensors: every number checked, nothing read.

A tensor is a storage, an offset, a shape and strides, all in elements. What does not add up raises
`FormatError` with the tensor's name; what is understood but has no plain form comes back as a note.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple

from kanna.errors import FormatError
from kanna.formats.checkpoint import torch_names as names
from kanna.formats.checkpoint.pickle_nodes import Call, Global, PersistentId
from kanna.model import Note, TensorInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kanna.dtypes import DType
    from kanna.formats.checkpoint.tensor_data import Record
    from kanna.model import Data

_MAX_DIMENSIONS: Final = 64  # torch's own limit
_MAX_WRAPPERS: Final = 8
_MAX_BYTES: Final = 2**63 - 1
_INTEGERS: Final = frozenset({int})


class _Lie(Exception):
    """Numbers of a tensor do not add up."""


class _NotPlain(Exception):
    """A tensor has no plain form; the argument is the message that says why."""


class Storage(NamedTuple):
    """A part of a record, as a persistent id names it; `dtype` is None if it is quantised."""

    record: Record
    dtype: DType | None
    offset: int
    nbytes: int


class View(NamedTuple):
    """What a rebuild call says: which elements of which storage."""

    storage: Storage
    dtype: DType
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class TorchTensors:
    """Makes tensors of the nodes of one file."""

    __slots__ = ("_find", "_path", "_storages", "_swapped", "_views")

    def __init__(
        self,
        path: Path,
        find: Callable[[object], Storage],
        *,
        swapped: bool = False,
        views: Mapping[int, View] | None = None,
    ) -> None:
        """Remember how this container finds the storage of a persistent id.

        Args:
            path: the file that errors are about.
            find: returns the storage, or raises ValueError.
            swapped: whether numbers are stored big-endian.
            views: tensors that persistent ids name directly, by key.
        """
        self._path = path
        self._find = find
        self._swapped = swapped
        self._views = views or {}
        self._storages: dict[PersistentId, Storage] = {}

    @property
    def stored(self) -> int:
        """The bytes of all records that tensors have named so far, each counted once."""
        storages = [*self._storages.values(), *(view.storage for view in self._views.values())]
        return sum({id(s.record): s.record.nbytes for s in storages}.values())

    def storage(self, value: object) -> Storage:
        """Return the storage that a persistent id names.

        Raises:
            ValueError: there is none, or its length or type is another.
            KeyError: there is none.
        """
        return self._find(value)

    def is_tensor(self, node: object) -> bool:
        """Whether `node` stands for a tensor of any kind."""
        if type(node) is PersistentId:
            return self._named(node) is not None
        return (
            type(node) is Call
            and type(node.function) is Global
            and node.function.dotted in names.TENSORS
        )

    def tensor(self, node: object, name: str) -> TensorInfo | Note:
        """Return the tensor that `node` stands for, or the reason why it cannot be one.

        Raises:
            FormatError: its numbers do not add up.
        """
        try:
            view = self._view(node)
            return TensorInfo(name, view.dtype, view.shape, self._data(view))
        except _NotPlain as reason:
            return Note(str(reason), {"name": name})
        except (_Lie, ValueError):
            raise FormatError("checkpoint.tensor_lie", path=self._path, name=name) from None

    def outline(self, node: object) -> tuple[str | None, tuple[int, ...], int]:
        """Return dtype word, shape and bytes of a tensor that will not be read.

        The numbers are what the file says, unchecked; what cannot be told is None, () and 0.
        """
        try:
            call, dtype_at = _rebuild_call(node)
            shape = _sizes(call.arguments[2])
            pid = call.arguments[0].value if type(call.arguments[0]) is PersistentId else ()
            source = call.arguments[dtype_at] if dtype_at else pid[1]  # type: ignore[index]
            table = names.DTYPES if dtype_at else names.STORAGE_TYPES
            dtype = table.get(source.dotted) if type(source) is Global else None
        except (_Lie, _NotPlain, LookupError, TypeError):
            return None, (), 0
        return (dtype.word, shape, dtype.nbytes(prod(shape))) if dtype else (None, shape, 0)

    def _named(self, node: PersistentId) -> View | None:
        key = node.value
        if type(key) not in (int, str) or not str(key).isdecimal():
            return None
        return self._views.get(int(key))  # type: ignore[call-overload]

    def _view(self, node: object) -> View:
        if type(node) is PersistentId and (named := self._named(node)):
            return named
        call, dtype_at = _rebuild_call(node)
        pid, offset, size, stride = call.arguments[:4]
        if type(pid) is not PersistentId or type(offset) is not int or offset < 0:
            raise _Lie
        storage = self._storages.get(pid)
        if storage is None:
            storage = self._storages[pid] = self._find(pid.value)
        dtype = storage.dtype if dtype_at is None else _dtype(call.arguments[dtype_at])
        if dtype is None:
            raise _NotPlain("checkpoint.refused_quantized")
        return View(storage, dtype, offset, _sizes(size), _sizes(stride))

    def _data(self, view: View) -> Data:
        """Return the bytes of `view`, after checking that they lie inside its storage."""
        storage, dtype, offset, shape, strides = view
        width = dtype.bits // 8
        nbytes = prod(shape) * width
        span = _span(shape, strides) * width
        if max(nbytes, span) > _MAX_BYTES or (span and offset * width + span > storage.nbytes):
            raise _Lie
        data = storage.record.part(storage.offset + offset * width if span else 0, span)
        if span and not _is_contiguous(shape, strides):
            data = _strided(data, span, view)
        number = width // 2 if dtype.kind == "complex" else width
        if self._swapped and number > 1:
            from kanna.formats.checkpoint.strided_data import Swapped  # rare

            data = Swapped(data, number, nbytes)
        return data


def _rebuild_call(node: object) -> tuple[Call, int | None]:
    """Return the innermost rebuild call of `node`, and where in it the dtype stands."""
    for _ in range(_MAX_WRAPPERS):
        if type(node) is not Call or type(node.function) is not Global:
            raise _Lie
        if node.items is not None or node.appended is not None:
            raise _Lie
        name = node.function.dotted
        if name in names.REBUILDERS:
            return node, _check_call(node, *names.REBUILDERS[name])
        if name in names.NOT_CONVERTIBLE:
            raise _NotPlain(names.NOT_CONVERTIBLE[name])
        node = _from_type(node) if name == names.REBUILD_FROM_TYPE else _wrapped(node, name)
    raise _Lie


def _check_call(call: Call, least: int, most: int, dtype_at: int | None) -> int | None:
    if not least <= len(call.arguments) <= most:
        raise _Lie
    if call.states:  # a loader would let the tensor change itself
        raise _NotPlain("checkpoint.refused_subclass")
    flags = call.arguments[most - 1] if len(call.arguments) == most and most > 4 else None
    if dtype_at == most - 1:
        flags = None
    if flags:
        if type(flags) is not dict:
            raise _Lie
        if any(flags.values()):
            raise _NotPlain("checkpoint.refused_flags")
    return dtype_at


def _wrapped(call: Call, name: str) -> object:
    if name not in names.WRAPPERS or not call.arguments:
        raise _Lie
    return call.arguments[0]


def _from_type(call: Call) -> Call:
    """Return the call inside ``_rebuild_from_type_v2(function, type, arguments, state)``."""
    if len(call.arguments) != 4:
        raise _Lie
    function, kind, arguments, _ = call.arguments
    if type(function) is not Global or type(kind) is not Global or type(arguments) is not tuple:
        raise _Lie
    if kind.dotted not in names.PLAIN_TYPES:
        raise _NotPlain("checkpoint.refused_subclass")
    return Call(function, arguments)


def _dtype(node: object) -> DType:
    dtype = names.DTYPES.get(node.dotted) if type(node) is Global else None
    if dtype is None:
        raise _NotPlain("checkpoint.refused_dtype")
    return dtype


def _sizes(node: object) -> tuple[int, ...]:
    """Return a shape or strides: whole numbers, none negative."""
    if type(node) is Call and type(node.function) is Global:
        if node.function.dotted != "torch.Size" or len(node.arguments) != 1:
            raise _Lie
        node = node.arguments[0]
    if type(node) is list:
        node = tuple(node)
    if type(node) is not tuple or len(node) > _MAX_DIMENSIONS:
        raise _Lie
    if node and (not _INTEGERS.issuperset(map(type, node)) or min(node) < 0):
        raise _Lie
    return node


def _span(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Return how many elements lie from the first to the last one, both counted; 0 if none do."""
    if len(shape) != len(strides):
        raise _Lie
    if 0 in shape:
        if prod(filter(None, shape)) > _MAX_BYTES:  # other readers multiply without looking
            raise _Lie
        return 0
    return 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))


def _is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def _strided(source: Data, span: int, view: View) -> Data:
    from kanna.formats.checkpoint.strided_data import Strided  # rare

    return Strided(source, span, view.dtype.bits // 8, view.shape, view.strides)
