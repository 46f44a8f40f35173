"""The model inside a checkpoint: unwrapped, its tensors named by dotted paths, the rest set aside.

Training programs wrap a state dict: ``{"state_dict": {...}, "epoch": 3, "optimizer_states": ...}``.
The tensors of the innermost wrapped dict are the model; everything beside it becomes `extras`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError
from kanna.formats.checkpoint.pickle_machine import Broken
from kanna.formats.checkpoint.torch_values import Entries, Plain, children_of, entries_of, key_text
from kanna.formats.safetensors import METADATA
from kanna.model import Note, TensorInfo

if TYPE_CHECKING:
    from pathlib import Path

    from kanna.formats.checkpoint.torch_tensors import TorchTensors

# In the order in which they are tried. Sources: PyTorch Lightning (state_dict), BasicSR
# (params_ema before params), timm and many trainers (model), DeepSpeed (module).
_WRAPPERS: Final = ("state_dict", "params_ema", "params", "model", "module")
_METADATA: Final = ("metadata", METADATA)
_MAX_WRAPPERS: Final = 8
_MAX_DEPTH: Final = 64
_MAX_NODES: Final = 200_000
_MAX_PEEK: Final = 2000
_MAX_PEEK_WIDTH: Final = 256
# How far tensors may exceed the storages that they show: views, ties and expansions.
_MAX_EXPANSION: Final = 8
_FREE_EXPANSION: Final = 64 << 20
_NOTHING: Final = object()


@dataclass(slots=True)
class Contents:
    """What a checkpoint holds, as `kanna.model.ModelFile` shows it."""

    tensors: dict[str, TensorInfo] = field(default_factory=dict)
    refused: dict[str, Note] = field(default_factory=dict)
    extras: dict[str, object] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


class StateDictReader:
    """Collects the contents of one checkpoint."""

    __slots__ = ("_contents", "_left", "_path", "_plain", "_tensors")

    def __init__(self, path: Path, tensors: TorchTensors) -> None:
        self._path = path
        self._tensors = tensors
        self._plain = Plain(tensors)
        self._contents = Contents()
        self._left = _MAX_NODES

    def read(self, root: object) -> Contents:
        """Return what `root`, the value of the pickle, holds.

        Raises:
            FormatError: two tensors have one name, a name is none, numbers do not add up, or the
                nesting has no end.
        """
        try:
            extras = self._unwrap(root, _MAX_WRAPPERS)
        except Broken as broken:
            raise FormatError(broken.key, path=self._path) from None
        self._contents.extras.update({str(key): value for key, value in extras.items()})
        if self._plain.cut:
            self._contents.notes.append(Note("checkpoint.extras_cut"))
        self._check_expansion()
        return self._contents

    def _unwrap(self, node: object, left: int) -> Entries:
        """Collect the tensors of the innermost wrapped dict; return all that lies beside it."""
        entries = entries_of(node) or {}
        wrapper = next((w for w in _WRAPPERS if self._holds_tensor(entries.get(w))), None)
        if wrapper is None or not left:
            rest = self._collect(node, "", 0)
            return rest if isinstance(rest, dict) else {} if rest is _NOTHING else {"": rest}
        beside: Entries = {}
        for key, value in entries.items():
            if key == wrapper:
                inner = self._unwrap(value, left - 1)
                beside.update({key: inner} if inner else {})
            elif key not in _METADATA or not self._take_metadata(value):
                beside[key_text(key)] = self._set_aside(key, value)
        return beside

    def _holds_tensor(self, node: object) -> bool:
        """Whether a container holds a tensor not too far down."""
        if self._tensors.is_tensor(node):
            return False
        waiting = [node]
        for _ in range(_MAX_PEEK):
            if not waiting:
                return False
            found = waiting.pop()
            if self._tensors.is_tensor(found):
                return True
            waiting.extend(value for _, value in islice(children_of(found) or (), _MAX_PEEK_WIDTH))
        return False

    def _take_metadata(self, value: object) -> bool:
        """Keep `value` as the file's metadata, if it is text to text."""
        entries = entries_of(value)
        if not entries or not all(type(t) is str for pair in entries.items() for t in pair):
            return False
        self._contents.metadata.update(entries)  # type: ignore[arg-type]
        return True

    def _set_aside(self, key: object, value: object) -> object:
        """Return `value` as plain data, with a note on the tensors in it."""
        count, nbytes = self._plain.count, self._plain.nbytes
        plain = self._plain.value(value)
        if self._plain.count > count:
            values = {
                "key": key_text(key),
                "count": self._plain.count - count,
                "nbytes": self._plain.nbytes - nbytes,
            }
            self._contents.notes.append(Note("checkpoint.extra_tensors", values, warning=False))
        return plain

    def _collect(self, node: object, name: str | None, depth: int) -> object:
        """Add every tensor below `node`; return what else is there, or `_NOTHING`."""
        if self._tensors.is_tensor(node):
            self._add(node, name if depth else "tensor")
            return _NOTHING
        children = children_of(node)
        if children is None:
            return self._set_aside(name, node)
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise FormatError("checkpoint.endless", path=self._path)
        rest: Entries = {}
        count = 0
        for key, child in children:
            count += 1
            if not depth and key in _METADATA and self._take_metadata(child):
                continue
            left = self._collect(child, _join(name, key) if depth else _text(key), depth + 1)
            if left is not _NOTHING:
                rest[key_text(key)] = left
        if count and not rest:
            return _NOTHING
        is_list = entries_of(node) is None and len(rest) == count
        return list(rest.values()) if is_list else rest

    def _add(self, node: object, name: str | None) -> None:
        if name is None:
            raise FormatError("checkpoint.name_type", path=self._path)
        contents = self._contents
        if name in contents.tensors or name in contents.refused:
            raise FormatError("checkpoint.name_doubled", path=self._path, name=name)
        found = self._tensors.tensor(node, name)
        reason = _unusable_name(name)
        if reason:
            found = Note(reason, {"name": name})
        if isinstance(found, Note):
            contents.refused[name] = found
        else:
            contents.tensors[name] = found

    def _check_expansion(self) -> None:
        """Refuse tensors that are small in the file and endless once written out."""
        tensors = self._contents.tensors.values()
        total = sum(tensor.nbytes for tensor in tensors)
        if total > _FREE_EXPANSION + _MAX_EXPANSION * self._tensors.stored:
            largest = max(tensors, key=lambda tensor: tensor.nbytes)
            raise FormatError("checkpoint.expands", path=self._path, name=largest.name)


def _text(key: object) -> str | None:
    """Return a key as a part of a name: text and whole numbers are, nothing else is."""
    if type(key) is str:
        return key
    return str(key) if type(key) is int else None


def _join(name: str | None, key: object) -> str | None:
    text = _text(key)
    return None if name is None or text is None else f"{name}.{text}"


def _unusable_name(name: str) -> str | None:
    """Return why no container can hold a tensor of this name, or None."""
    if name == METADATA:  # safetensors keeps this name for itself
        return "checkpoint.refused_reserved"
    if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
        return "checkpoint.refused_surrogate"
    return None
