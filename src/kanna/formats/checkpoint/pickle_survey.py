"""Everything that a pickle names or calls, whatever is wrong with it: for `kanna scan`.

The same machine and opcodes as `pickle_vm` read the stream. Where a rule is broken, a reader gives
up; a survey notes the break and reads on, because other readers have other rules. Where it cannot
read on, it looks through the rest for text that names globals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint.pickle_machine import (
    BUDGET,
    FRAME,
    MAX_STREAM,
    STACK,
    Broken,
    Machine,
    Truncated,
)
from kanna.formats.checkpoint.pickle_nodes import Call, Global, PersistentId
from kanna.formats.checkpoint.pickle_vm import GlobalUse, globals_met, run

if TYPE_CHECKING:
    from kanna.disk import InputFile

_WINDOW: Final = 64 << 10
_MAX_BREAKS: Final = 200
_MAX_SWEEP: Final = 16 << 20
_MAX_HIDDEN: Final = 100
_MAX_TEXT: Final = 200
_MAX_TRIED: Final = 10_000
# STACK_GLOBAL behind a text, memoised or not.
_STACK_GLOBAL: Final = re.compile(rb"(?:[\w.\x94]|q.|r....)\x93", re.DOTALL)
_LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")
_WORD: Final = re.compile(rb"[A-Za-z_][\w.]*")
# Two lines of which the first may end the module of a GLOBAL or INST, the second be the name.
_SECOND_LINE: Final = re.compile(rb"\n(?=([A-Za-z_][\w.]{1,200})\n)")
_FIRST_LINE: Final = re.compile(rb"[ci]([A-Za-z_][\w.]+)")

# How an opcode that broke a rule is gone past: the bytes it takes, and what it leaves on the stack.
_LEAVES_NOTHING: Final = {
    0x80: 2, 0x98: 1, **dict.fromkeys(b"suaeR\x81\x92bQ\x90", 1),
}  # fmt: skip
_LEAVES_ONE: Final = {
    0x68: 2, 0x6A: 5, 0x82: 2, 0x83: 3, 0x84: 5, 0x97: 1, **dict.fromkeys(b"od\x91\x93", 1),
}  # fmt: skip
_LINE_LEAVES_ONE: Final = frozenset(b"ILFSVgP")
_SIZED: Final = {0x58: 4, 0x8C: 1, 0x8D: 8}


@dataclass(frozen=True, slots=True)
class Break:
    """A broken rule: the message that says which, the position and the opcode there."""

    key: str
    position: int
    opcode: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What was met in one stream.

    `end` is the position after STOP, or None; `reached` how far the machine came. `patched` are
    globals on which attributes would be set. `hidden` are pairs that stand in text behind the last
    break, with their positions.
    """

    end: int | None
    reached: int
    globals: tuple[GlobalUse, ...]
    patched: frozenset[str]
    calls: tuple[Call, ...]
    persistent: tuple[object, ...]
    breaks: tuple[Break, ...]
    hidden: tuple[GlobalUse, ...] = ()


class _Watch(Machine):
    """A machine that keeps every call, also those whose result is thrown away."""

    __slots__ = ("calls",)

    def __init__(self, data: bytes, start: int) -> None:
        super().__init__(data, start)
        self.calls: list[Call] = []

    def call(
        self, function: object, arguments: object, keywords: dict[object, object] | None = None
    ) -> Call:
        """Return the node that stands for a call, and keep it."""
        made = super().call(function, arguments, keywords)
        self.calls.append(made)
        return made


def survey(data: bytes, start: int = 0, *, sweep: bool = True) -> Survey:
    """Read the stream at `start` of `data` as far as any reader might come.

    With `sweep`, what lies behind a break that ends the reading is looked through, too.
    """
    machine = _Watch(data, start)
    breaks: list[Break] = []
    position: int | None = start
    end = None
    while position is not None and end is None:
        try:
            end = run(machine, position)
        except Broken as broken:
            opcode = data[machine.at] if machine.at < len(data) else 0
            breaks.append(Break(broken.key, machine.at, opcode))
            position = _past(machine, broken) if len(breaks) < _MAX_BREAKS else None
    hidden = _sweep(data, machine.at) if end is None and sweep else ()
    return Survey(
        end=end,
        reached=min(end or machine.at, len(data)),
        globals=globals_met(machine),
        patched=frozenset(found.dotted for found in machine.patched),
        calls=tuple(machine.calls),
        persistent=tuple(machine.persistent),
        breaks=tuple(breaks),
        hidden=hidden,
    )


def survey_at(file: InputFile, offset: int, *, sweep: bool = True) -> Survey:
    """Read the stream at `offset` of `file`; positions count from `offset`."""
    window = _WINDOW
    while True:
        available = min(file.size - offset, MAX_STREAM)
        found = survey(file.read(offset, min(window, available)), sweep=False)
        ran_out = found.end is None and found.breaks[-1].key == Truncated().key
        if not ran_out or window >= available:
            break
        window *= 8
    if found.end is None and sweep:
        return survey(file.read(offset, min(max(window, _MAX_SWEEP), available)))
    return found


def _past(machine: Machine, broken: Broken) -> int | None:
    """Return where to read on after a break, the stack as an opcode would leave it, or None."""
    at, opcode = machine.at, machine.data[machine.at] if machine.at < machine.size else 0
    if isinstance(broken, Truncated) or broken.key in (STACK, BUDGET):
        return None
    if broken.key == FRAME:
        machine.drop_frame()
        return at + 9 if opcode == 0x95 else machine.next
    if opcode in _LEAVES_NOTHING:
        return at + _LEAVES_NOTHING[opcode]
    if opcode in _LEAVES_ONE:
        machine.stack.append(None)
        return at + _LEAVES_ONE[opcode]
    return _past_text(machine, at, opcode)


def _past_text(machine: Machine, at: int, opcode: int) -> int | None:
    data = machine.data
    if opcode in _SIZED:
        start = at + 1 + _SIZED[opcode]
        machine.stack.append(None)
        return start + int.from_bytes(data[at + 1 : start], "little")
    end = data.find(b"\n", at) + 1
    if not end:
        return None
    if opcode in _LINE_LEAVES_ONE:
        machine.stack.append(PersistentId(None) if opcode == 0x50 else None)
        return end
    second = data.find(b"\n", end) + 1
    if opcode in b"ci" and second:
        module, name = data[at + 1 : end - 1], data[end : second - 1]
        found = _foreign(machine, module, name, at)
        if opcode == 0x69:
            machine.called.add(found)
        machine.stack.append(found)
        return second
    return None


def _foreign(machine: Machine, module: bytes, name: bytes, at: int) -> Global:
    """Return a global whose name is no UTF-8."""
    return machine.name(
        module.decode("utf-8", "backslashreplace"), name.decode("utf-8", "backslashreplace"), at
    )


def _sweep(data: bytes, start: int) -> tuple[GlobalUse, ...]:
    """Return what looks like a global in text between `start` and the end of `data`."""
    found: list[GlobalUse] = []
    rest = data[start : start + _MAX_SWEEP]
    for at, module, name in chain(_in_lines(rest), _on_stack(rest)):
        node = Global(module.decode("ascii"), name.decode("ascii"))
        found.append(GlobalUse(node.module, node.name, node.dotted, start + at, called=True))
        if len(found) >= _MAX_HIDDEN:
            break
    return tuple(found)


_Found = tuple[int, bytes, bytes]


def _in_lines(data: bytes) -> Iterator[_Found]:
    """Yield what GLOBAL and INST would name."""
    for match in _SECOND_LINE.finditer(data):
        begin = max(match.start() - _MAX_TEXT, 0)
        first = _FIRST_LINE.search(data, _run_before(data, match.start(), begin), match.start())
        if first is not None and first.end() == match.start():
            yield first.start(), first[1], match[1]


def _run_before(data: bytes, end: int, least: int) -> int:
    """Return where the run of letters begins that ends at `end`."""
    at = end
    while at > least and data[at - 1] in _LETTERS:
        at -= 1
    return at


def _on_stack(data: bytes) -> Iterator[_Found]:
    """Yield what STACK_GLOBAL would name: two texts right before it."""
    for match in islice(_STACK_GLOBAL.finditer(data), _MAX_TRIED):
        for name, before in _texts_before(data, match.end() - 1):
            for module, begin in _texts_before(data, before):
                yield begin, module, name


def _texts_before(data: bytes, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield the text pushed right before `end`, memoised or not, and where its opcode is."""
    memos = {0, 1 * (data[end - 1 : end] == b"\x94"), 2 * (data[end - 2 : end - 1] == b"q")}
    memos.add(5 * (data[end - 5 : end - 4] == b"r"))
    for stop in (end - memo for memo in memos):
        for at in range(_run_before(data, stop, max(stop - _MAX_TEXT, 0)), stop):
            opcode = _text_opcode(data, at, stop - at)
            if opcode is not None and _WORD.fullmatch(data, at, stop):
                yield data[at:stop], opcode


def _text_opcode(data: bytes, at: int, length: int) -> int | None:
    """Return where the opcode is that pushes `length` bytes of text at `at`, or None."""
    if data[at - 1 : at] == bytes((length,)) and data[at - 2 : at - 1] in (b"\x8c", b"U"):
        return at - 2
    if data[at - 5 : at] == b"X" + length.to_bytes(4, "little"):
        return at - 5
    return None
