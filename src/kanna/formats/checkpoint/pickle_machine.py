"""The state of the pickle virtual machine, its budgets and the rules that opcodes share.

Lengths are checked before anything is allocated; what would take a file's word for more memory,
time or hash collisions than a model file needs is refused.
"""

from __future__ import annotations

import sys
from typing import Final

from kanna.formats.checkpoint.pickle_nodes import Call, Global, PersistentId, global_of

MAX_STREAM: Final = 64 << 20
MAX_OPCODES: Final = 2_000_000  # a checkpoint of 2,500 tensors has 80,000
MAX_STRING: Final = 16 << 20
MAX_INT_BYTES: Final = 64
MAX_INT_DIGITS: Final = 154  # of MAX_INT_BYTES
MAX_SETS: Final = 100_000  # an empty set: one byte of pickle, 232 of memory
_MAX_GLOBALS: Final = 10_000
_MAX_KEY_INT: Final = 2**61 - 1  # beyond it, many integers share one hash
_MAX_KEY_TUPLE: Final = 16
_NO_FRAME: Final = sys.maxsize

_PLAIN_KEYS: Final = frozenset({str, bytes, float, bool, type(None), Global, Call, PersistentId})

BUDGET: Final = "checkpoint.pickle_budget"
DUPLICATE: Final = "checkpoint.pickle_duplicate"
FRAME: Final = "checkpoint.pickle_frame"
OPCODE: Final = "checkpoint.pickle_opcode"
STACK: Final = "checkpoint.pickle_stack"
TARGET: Final = "checkpoint.pickle_target"
VALUE: Final = "checkpoint.pickle_value"


class Broken(Exception):
    """The stream breaks a rule; `key` is the message that says which."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Truncated(Broken):
    """The stream ends where more bytes are due."""

    def __init__(self) -> None:
        super().__init__("checkpoint.pickle_truncated")


class Stopped(Exception):
    """The opcode STOP was met."""


class Machine:
    """The state of one run: the stack, the marks, the memo and the globals met so far.

    `patched` are the globals on which a loader would set attributes. After a run, also after one
    that failed, `at` is the position of its last opcode and `next` where the one after it begins,
    or `at` itself if that opcode was not carried out.
    """

    __slots__ = (
        "at", "called", "data", "frame_end", "marks", "memo", "names", "next", "patched",
        "persistent", "positions", "sets", "size", "stack", "start",
    )  # fmt: skip

    def __init__(self, data: bytes, start: int = 0) -> None:
        self.data = data
        self.size = len(data)
        self.start = start
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: dict[int, object] = {}
        self.names: dict[tuple[str, str], Global] = {}
        self.positions: dict[Global, int] = {}
        self.called: set[Global] = set()
        self.patched: set[Global] = set()
        self.persistent: list[object] = []
        self.sets = 0
        self.frame_end = _NO_FRAME
        self.at = self.next = start

    def stop(self, position: int) -> int:
        """Return `position`, where the stream ends, with exactly its value on the stack.

        Raises:
            Broken: something is left over, or a frame goes on.
        """
        if self.marks or len(self.stack) != 1:
            raise Broken(STACK)
        if self.frame_end not in (_NO_FRAME, position):
            raise Broken(FRAME)
        return position

    def enter_frame(self, start: int, length: int) -> None:
        """Begin a frame: no opcode may straddle its end, and frames do not nest (PEP 3154)."""
        if self.frame_end != _NO_FRAME:
            raise Broken(FRAME)
        if start + length > self.size:
            raise Truncated
        if length:
            self.frame_end = start + length

    def drop_frame(self) -> None:
        """Forget the frame, to read on where its bounds were broken."""
        self.frame_end = _NO_FRAME

    def leave_frame(self, position: int) -> None:
        """End the frame, which an opcode has reached.

        Raises:
            Broken: the opcode went past its end.
        """
        if position != self.frame_end:
            raise Broken(FRAME)
        self.frame_end = _NO_FRAME

    def pop_mark(self) -> list[object]:
        """Return what lies above the topmost mark, and remove it with the mark."""
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def name(self, module: str, name: str, position: int) -> Global:
        """Return the one `Global` of this stream for a pair of names."""
        found = self.names.get((module, name))
        if found is None:
            if len(self.names) >= _MAX_GLOBALS:
                raise Broken(BUDGET)
            found = self.names[module, name] = Global(module, name)
            self.positions[found] = position
        return found

    def call(
        self, function: object, arguments: object, keywords: dict[object, object] | None = None
    ) -> Call:
        """Return the node that stands for a call, and remember that `function` is called."""
        named = global_of(function)
        if named:
            self.called.add(named)
        elif type(function) not in (Call, PersistentId):
            raise Broken(TARGET)
        if type(arguments) is not tuple:
            raise Broken(TARGET)
        return Call(function, arguments, keywords)  # type: ignore[arg-type]


def set_items(target: dict[object, object], keys: list[object], values: list[object]) -> None:
    """Put `keys` and `values` into `target`.

    Raises:
        Broken: a key cannot be one, or is there already (Python would silently keep the last).
    """
    check_keys(keys)
    before = len(target)
    target.update(zip(keys, values, strict=True))
    if len(target) != before + len(keys):
        raise Broken(DUPLICATE)


def check_keys(keys: list[object]) -> None:
    """Refuse what is no key in Python, and keys made to collide in a hash table.

    Raises:
        Broken: one of `keys` is neither plain nor a short tuple of plain values.
    """
    if _PLAIN_KEYS.issuperset(map(type, keys)):
        return
    for key in keys:
        parts = key if type(key) is tuple and len(key) <= _MAX_KEY_TUPLE else (key,)
        for part in parts:
            if not (type(part) in _PLAIN_KEYS or (type(part) is int and abs(part) < _MAX_KEY_INT)):
                raise Broken(VALUE)
