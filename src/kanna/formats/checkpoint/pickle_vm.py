"""The pickle virtual machine: reads a pickle as data, runs nothing, imports nothing.

It shares no code with Python's own reader: a global becomes a pair of strings, a call an inert node
(see `pickle_nodes`). `scan`, `inspect` and `convert` all read through it, so that what is judged is
what is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError
from kanna.formats.checkpoint.pickle_machine import (
    BUDGET,
    MAX_OPCODES,
    MAX_STREAM,
    STACK,
    VALUE,
    Broken,
    Machine,
    Stopped,
    Truncated,
)
from kanna.formats.checkpoint.pickle_opcodes import TABLE

if TYPE_CHECKING:
    import os

    from kanna.disk import InputFile

FIRST_WINDOW: Final = 512 << 10  # holds the object of nearly every checkpoint
SMALL_WINDOW: Final = 4 << 10  # for streams of a few numbers


@dataclass(frozen=True, slots=True)
class GlobalUse:
    """A global that a stream names: where it is named first, and whether it would be called.

    `dotted` is its name in today's spelling of Python's, numpy's and torch's modules.
    """

    module: str
    name: str
    dotted: str
    position: int
    called: bool


@dataclass(frozen=True, slots=True)
class Pickle:
    """One stream as data.

    `end` is the position after STOP, `globals` are the globals it names, `persistent` the values
    of its persistent ids, in order.
    """

    value: object
    end: int
    globals: tuple[GlobalUse, ...]
    persistent: tuple[object, ...]


def run(machine: Machine, start: int | None = None) -> int:
    """Read one stream and return the position after its STOP; the value is on the stack.

    Args:
        machine: the machine, fresh or after a run that failed.
        start: where to read on after a failure; by default, the start of the stream.

    Raises:
        Broken: a rule is broken.
    """
    position = at = machine.start if start is None else start
    data = machine.data
    try:
        for _ in range(MAX_OPCODES):
            at = position
            position = TABLE[data[at]](machine, at + 1)
            if position >= machine.frame_end:
                machine.leave_frame(position)
    except Stopped:
        return machine.stop(at + 1)
    except IndexError:
        raise (Truncated() if at >= machine.size - 1 else Broken(STACK)) from None
    except struct.error:
        raise Truncated from None
    except (KeyError, ValueError, OverflowError):
        raise Broken(VALUE) from None
    finally:
        machine.at, machine.next = at, position
    raise Broken(BUDGET)


def globals_met(machine: Machine) -> tuple[GlobalUse, ...]:
    """Return the globals that a run has met so far, also after it failed."""
    return tuple(
        GlobalUse(node.module, node.name, node.dotted, at, node in machine.called)
        for node, at in machine.positions.items()
    )


def read_pickle(data: bytes, start: int = 0, *, path: str | os.PathLike[str]) -> Pickle:
    """Read the stream that begins at `start` of `data`, as data.

    Args:
        data: the bytes; other streams may follow.
        start: where the stream begins.
        path: the file that an error is about.

    Raises:
        FormatError: the stream is broken, endless, or uses what a model file has no use for.
    """
    machine = Machine(data, start)
    try:
        return _result(machine, run(machine))
    except Broken as broken:
        raise FormatError(broken.key, path=path) from None


def read_pickle_at(file: InputFile, offset: int, window: int = FIRST_WINDOW) -> Pickle:
    """Read the stream that begins at `offset` of `file`; the returned `end` is an offset, too.

    Args:
        file: the file.
        offset: where the stream begins.
        window: how many bytes to take in first; more only if the stream goes on behind them.

    Raises:
        FormatError: as `read_pickle`.
    """
    while True:
        available = min(file.size - offset, MAX_STREAM)
        machine = Machine(file.read(offset, min(window, available)))
        try:
            return _result(machine, offset + run(machine))
        except Truncated as broken:
            if window >= available:
                raise FormatError(broken.key, path=file.path) from None
        except Broken as broken:
            raise FormatError(broken.key, path=file.path) from None
        window *= 8


def _result(machine: Machine, end: int) -> Pickle:
    return Pickle(machine.stack[0], end, globals_met(machine), tuple(machine.persistent))
