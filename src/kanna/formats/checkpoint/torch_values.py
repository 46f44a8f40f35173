"""From the inert nodes of a pickle to what a reader wants: entries to walk, values to show."""

from __future__ import annotations

import struct
from itertools import islice
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint import torch_names as names
from kanna.formats.checkpoint.pickle_machine import set_items
from kanna.formats.checkpoint.pickle_nodes import Call, PersistentId, global_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kanna.formats.checkpoint.torch_tensors import TorchTensors

Entries = dict[object, object]

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_MODULE_PARTS: Final = ("_parameters", "_buffers", "_modules")
_MAX_DEPTH: Final = 64
_MAX_VALUES: Final = 200_000
_CUT: Final = {"cut": True}
# numpy's names of number formats and ours for them.
_NUMPY: Final = {
    "f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "i1": "b", "u8": "Q",
    "u4": "I", "u2": "H", "u1": "B", "b1": "?",
}  # fmt: skip


def function_name(node: object) -> str:
    """Return the dotted name of what a call would call; empty if it is no call of a global."""
    function = global_of(node.function) if type(node) is Call else None
    return function.dotted if function else ""


def entries_of(node: object) -> Entries | None:
    """Return the entries of a dict, of a dict-like object or of a pickled module, or None.

    What a call was given as arguments is folded into its `items` once, so that a node which many
    others share is not gone through again for each of them.

    Raises:
        Broken: an entry occurs twice.
    """
    if type(node) is dict:
        return node
    if type(node) is not Call:
        return None
    if function_name(node) in names.MAPPINGS:
        _fold_given(node)
    elif node.items is None:
        node.items = _module(node)
    return node.items


def _fold_given(node: Call) -> None:
    """Put the entries that an OrderedDict and its like were made with before those set later."""
    if node.items is not None and not node.arguments:
        return
    given = node.arguments[-1] if node.arguments else None
    made: Entries = dict(given) if type(given) is dict else {}
    if type(given) in (list, tuple):
        pairs = [p for p in given if type(p) in (list, tuple) and len(p) == 2]  # type: ignore[attr-defined]
        set_items(made, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    set_items(made, list(node.items or ()), list((node.items or {}).values()))
    node.items, node.arguments = made, ()


def _module(node: Call) -> Entries | None:
    """Return parameters, buffers and children of a pickled ``torch.nn.Module``, or None."""
    state = state_of(node)
    parts = [state[part] for part in _MODULE_PARTS if part in state]
    found: Entries = {}
    for part in parts:
        found.update({k: v for k, v in (entries_of(part) or {}).items() if v is not None})
    return found if parts else None


def state_of(node: Call) -> Entries:
    """Return the attributes that a loader would set on an object, later ones last."""
    merged: Entries = {}
    for state in node.states or ():
        for part in state if type(state) is tuple else (state,):
            if type(part) is dict:
                merged.update(part)
    return merged


def elements_of(node: object) -> list[object] | tuple[object, ...] | None:
    """Return the elements of a list, tuple or list-like object, or None."""
    if type(node) in (list, tuple):
        return node  # type: ignore[return-value]
    if type(node) is not Call:
        return None
    if function_name(node) in names.SEQUENCES and (node.arguments or node.appended is None):
        given = node.arguments[0] if node.arguments else ()
        node.appended = [*(given if type(given) in (list, tuple) else ()), *(node.appended or ())]  # type: ignore[misc]
        node.arguments = ()
    return node.appended


def children_of(node: object) -> Iterable[tuple[object, object]] | None:
    """Return the key and value of everything that a container holds, or None."""
    entries = entries_of(node)
    if entries is not None:
        return entries.items()
    elements = elements_of(node)
    return None if elements is None else enumerate(elements)


class Plain:
    """Turns nodes into a tree of dicts, lists and plain values that can be shown and written.

    Tensors become ``{"tensor": dtype, "shape": [...]}``; what is no plain data becomes a small
    record. `count` and `nbytes` add up the tensors met; `cut` says that something endless was not
    followed to its end.
    """

    __slots__ = ("_left", "_path", "_tensors", "count", "cut", "nbytes")

    def __init__(self, tensors: TorchTensors) -> None:
        self._tensors = tensors
        self._path: set[int] = set()
        self._left = _MAX_VALUES
        self.count = 0
        self.nbytes = 0
        self.cut = False

    def value(self, node: object) -> object:
        """Return `node` as plain data; what is endless is cut off with a record that says so."""
        if type(node) in _SCALARS:
            return node
        self._left -= 1
        if id(node) in self._path or len(self._path) >= _MAX_DEPTH or self._left < 0:
            self.cut = True
            return _CUT
        self._path.add(id(node))
        try:
            return self._container(node)
        finally:
            self._path.discard(id(node))

    def _container(self, node: object) -> object:
        if self._tensors.is_tensor(node):
            return self._tensor(node)
        name = function_name(node)
        if type(node) is Call and name in names.CONTENT:
            return self.value(state_of(node).get(names.CONTENT[name]))
        entries = entries_of(node)
        if entries is not None:
            pairs = islice(entries.items(), self._room(len(entries)))
            return {key_text(key): self.value(value) for key, value in pairs}
        elements = list(node) if isinstance(node, set | frozenset) else elements_of(node)
        if elements is not None:
            return [self.value(element) for element in elements[: self._room(len(elements))]]
        return self._leaf(node, name)

    def _room(self, size: int) -> int:
        """Return how many elements a container of `size` may show."""
        room = max(self._left, 1)
        self.cut |= size > room
        return room

    def _tensor(self, node: object) -> object:
        dtype, shape, nbytes = self._tensors.outline(node)
        self.count += 1
        self.nbytes += nbytes
        return {"tensor": dtype, "shape": list(shape)}

    def _leaf(self, node: object, name: str) -> object:
        if isinstance(node, bytes | bytearray):
            return {"bytes": len(node)}
        named = global_of(node)
        if named:
            return {"global": named.dotted}
        if type(node) is not Call:
            return {"persistent": type(getattr(node, "value", None)).__name__}
        if name in names.PATHS:
            return "/".join(part for part in node.arguments if type(part) is str)
        if name == names.NUMPY_SCALAR:
            return _numpy_scalar(node)
        return self._record(node, name)

    def _record(self, node: Call, name: str) -> object:
        record: dict[str, object] = {"class": name or "?"}
        if node.arguments:
            record["arguments"] = [self.value(argument) for argument in node.arguments]
        for key, value in state_of(node).items():
            record[str(key_text(key))] = self.value(value)
        return record


def key_text(key: object) -> str | int | float | bool | None:
    """Return a key of a dict as it is, if JSON-like, else as text."""
    if type(key) in _SCALARS:
        return key  # type: ignore[return-value]
    if type(key) is Call:
        return function_name(key) or "?"
    named = global_of(key)
    if named:
        return named.dotted
    return "?" if type(key) is PersistentId else str(key)


def _numpy_scalar(node: Call) -> object:
    """Return the number in ``scalar(dtype, bytes)``; a record if it is none."""
    kind = node.arguments[0] if len(node.arguments) == 2 else None
    if type(kind) is Call and function_name(kind) == "numpy.dtype" and kind.arguments:
        code = _NUMPY.get(str(kind.arguments[0]))
        state = kind.states[0] if kind.states else None
        order = state[1] if type(state) is tuple and len(state) > 1 else "<"
        data = _bytes_of(node.arguments[1])
        if code and data is not None and struct.calcsize("<" + code) == len(data):
            return struct.unpack((">" if order == ">" else "<") + code, data)[0]
    return {"class": names.NUMPY_SCALAR}


def _bytes_of(node: object) -> bytes | None:
    """Return bytes, also as protocol 2 writes them: text and the codec ``latin1``."""
    if type(node) is bytes:
        return node
    if type(node) is Call and function_name(node) == names.BYTES_AS_TEXT:
        text, *codec = node.arguments or (None,)
        if type(text) is str and codec in (["latin1"], ["latin-1"]):
            return text.encode("latin1", "replace")
    return None
