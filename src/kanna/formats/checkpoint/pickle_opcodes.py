"""The opcodes of the pickle virtual machine, one small function each: containers, memo, objects.

Each takes the machine and the position of its argument, and returns the position after it. Only
what data needs is here: the extension registry (EXT1-4), text persistent ids (PERSID) and
out-of-band buffers are refused. Source of the grammar: the opcode list of PEP 307, 3154 and 574.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint.pickle_machine import (
    BUDGET,
    MAX_SETS,
    OPCODE,
    STACK,
    TARGET,
    VALUE,
    Broken,
    Machine,
    Stopped,
    check_keys,
    set_items,
)
from kanna.formats.checkpoint.pickle_nodes import Call, Global, PersistentId
from kanna.formats.checkpoint.pickle_scalars import SCALARS, read_line

if TYPE_CHECKING:
    from collections.abc import Callable

    Opcode = Callable[[Machine, int], int]

_u32: Final = struct.Struct("<I").unpack_from
_u64: Final = struct.Struct("<Q").unpack_from


def _refuse(_vm: Machine, _at: int) -> int:
    raise Broken(OPCODE)


# --- the frame of the stream ---------------------------------------------------------------------


def _proto(vm: Machine, at: int) -> int:
    if at != vm.start + 1 or vm.data[at] > 5:
        raise Broken(OPCODE)
    return at + 1


def _frame(vm: Machine, at: int) -> int:
    vm.enter_frame(at + 8, _u64(vm.data, at)[0])
    return at + 8


def _stop(_vm: Machine, _at: int) -> int:
    raise Stopped


# --- containers ----------------------------------------------------------------------------------


def _mark(vm: Machine, at: int) -> int:
    vm.marks.append(vm.stack)
    vm.stack = []
    return at


def _pop(vm: Machine, at: int) -> int:
    if vm.stack:
        vm.stack.pop()
    else:
        vm.pop_mark()
    return at


def _pop_mark(vm: Machine, at: int) -> int:
    vm.pop_mark()
    return at


def _dup(vm: Machine, at: int) -> int:
    vm.stack.append(vm.stack[-1])
    return at


def _empty_list(vm: Machine, at: int) -> int:
    vm.stack.append([])
    return at


def _empty_dict(vm: Machine, at: int) -> int:
    vm.stack.append({})
    return at


def _empty_tuple(vm: Machine, at: int) -> int:
    vm.stack.append(())
    return at


def _empty_set(vm: Machine, at: int) -> int:
    _count_set(vm)
    vm.stack.append(set())
    return at


def _list(vm: Machine, at: int) -> int:
    items = vm.pop_mark()
    vm.stack.append(items)
    return at


def _tuple(vm: Machine, at: int) -> int:
    items = vm.pop_mark()
    vm.stack.append(tuple(items))
    return at


def _tuple1(vm: Machine, at: int) -> int:
    vm.stack[-1] = (vm.stack[-1],)
    return at


def _tuple2(vm: Machine, at: int) -> int:
    stack = vm.stack
    last = stack.pop()
    stack[-1] = (stack[-1], last)
    return at


def _tuple3(vm: Machine, at: int) -> int:
    stack = vm.stack
    last = stack.pop()
    middle = stack.pop()
    stack[-1] = (stack[-1], middle, last)
    return at


def _dict(vm: Machine, at: int) -> int:
    items = vm.pop_mark()
    made: dict[object, object] = {}
    _put_items(made, items)
    vm.stack.append(made)
    return at


def _frozenset(vm: Machine, at: int) -> int:
    _count_set(vm)
    items = vm.pop_mark()
    check_keys(items)
    vm.stack.append(frozenset(items))
    return at


def _count_set(vm: Machine) -> None:
    vm.sets += 1
    if vm.sets > MAX_SETS:
        raise Broken(BUDGET)


def _setitem(vm: Machine, at: int) -> int:
    value, key = vm.stack.pop(), vm.stack.pop()
    _put_items(vm.stack[-1], [key, value])
    return at


def _setitems(vm: Machine, at: int) -> int:
    items = vm.pop_mark()
    _put_items(vm.stack[-1], items)
    return at


def _put_items(target: object, items: list[object]) -> None:
    if len(items) % 2:
        raise Broken(STACK)
    if type(target) is Call:
        if target.items is None:
            target.items = {}
        target = target.items
    if type(target) is not dict:
        raise Broken(TARGET)
    set_items(target, items[::2], items[1::2])


def _append(vm: Machine, at: int) -> int:
    value = vm.stack.pop()
    _elements(vm.stack[-1]).append(value)
    return at


def _appends(vm: Machine, at: int) -> int:
    items = vm.pop_mark()
    _elements(vm.stack[-1]).extend(items)
    return at


def _elements(target: object) -> list[object]:
    """Return the list that APPEND, APPENDS and ADDITEMS extend."""
    if type(target) is list:
        return target
    if type(target) is not Call:
        raise Broken(TARGET)
    if target.appended is None:
        target.appended = []
    return target.appended


def _additems(vm: Machine, at: int) -> int:
    items = vm.pop_mark()
    target = vm.stack[-1]
    if type(target) is set:
        check_keys(items)
        target.update(items)
    else:
        _elements(target if type(target) is Call else None).extend(items)
    return at


# --- the memo ------------------------------------------------------------------------------------


def _put(vm: Machine, at: int) -> int:
    line = read_line(vm, at)
    vm.memo[_index(line)] = vm.stack[-1]
    return at + len(line) + 1


def _get(vm: Machine, at: int) -> int:
    line = read_line(vm, at)
    vm.stack.append(vm.memo[_index(line)])
    return at + len(line) + 1


def _index(line: bytes) -> int:
    if not line.isdigit() or len(line) > 10:
        raise Broken(VALUE)
    return int(line)


def _binput(vm: Machine, at: int) -> int:
    vm.memo[vm.data[at]] = vm.stack[-1]
    return at + 1


def _long_binput(vm: Machine, at: int) -> int:
    vm.memo[_u32(vm.data, at)[0]] = vm.stack[-1]
    return at + 4


def _binget(vm: Machine, at: int) -> int:
    vm.stack.append(vm.memo[vm.data[at]])
    return at + 1


def _long_binget(vm: Machine, at: int) -> int:
    vm.stack.append(vm.memo[_u32(vm.data, at)[0]])
    return at + 4


def _memoize(vm: Machine, at: int) -> int:
    vm.memo[len(vm.memo)] = vm.stack[-1]
    return at


# --- globals and what a loader would do with them ------------------------------------------------


def _two_lines(vm: Machine, at: int) -> tuple[Global, int]:
    module = read_line(vm, at)
    name = read_line(vm, at + len(module) + 1)
    found = vm.name(module.decode("utf-8"), name.decode("utf-8"), at - 1)
    return found, at + len(module) + len(name) + 2


def _global(vm: Machine, at: int) -> int:
    found, end = _two_lines(vm, at)
    vm.stack.append(found)
    return end


def _stack_global(vm: Machine, at: int) -> int:
    name, module = vm.stack.pop(), vm.stack.pop()
    # Calls leave nodes on the stack, so a `str` there is a literal of the stream.
    if type(name) is not str or type(module) is not str:
        raise Broken(TARGET)
    vm.stack.append(vm.name(module, name, at - 1))
    return at


def _reduce(vm: Machine, at: int) -> int:
    arguments = vm.stack.pop()
    vm.stack[-1] = vm.call(vm.stack[-1], arguments)
    return at


def _newobj_ex(vm: Machine, at: int) -> int:
    keywords, arguments = vm.stack.pop(), vm.stack.pop()
    if type(keywords) is not dict:
        raise Broken(TARGET)
    vm.stack[-1] = vm.call(vm.stack[-1], arguments, keywords)
    return at


def _inst(vm: Machine, at: int) -> int:
    function, end = _two_lines(vm, at)
    arguments = vm.pop_mark()
    vm.stack.append(vm.call(function, tuple(arguments)))
    return end


def _obj(vm: Machine, at: int) -> int:
    function, *arguments = vm.pop_mark() or [None]
    vm.stack.append(vm.call(function, tuple(arguments)))
    return at


def _build(vm: Machine, at: int) -> int:
    state = vm.stack.pop()
    target = vm.stack[-1]
    if type(target) is Call:
        if target.states is None:
            target.states = []
        target.states.append(state)
    elif type(target) is Global:
        vm.called.add(target)
        vm.patched.add(target)
    else:
        raise Broken(TARGET)
    return at


def _binpersid(vm: Machine, at: int) -> int:
    vm.persistent.append(vm.stack[-1])
    vm.stack[-1] = PersistentId(vm.stack[-1])
    return at


_OPCODES: Final[dict[bytes, Opcode]] = {
    b"\x80": _proto, b"\x95": _frame, b".": _stop,
    **SCALARS,
    b"(": _mark, b"0": _pop, b"1": _pop_mark, b"2": _dup,
    b"]": _empty_list, b"}": _empty_dict, b"\x8f": _empty_set, b")": _empty_tuple,
    b"l": _list, b"t": _tuple, b"\x85": _tuple1, b"\x86": _tuple2, b"\x87": _tuple3,
    b"d": _dict, b"\x91": _frozenset,
    b"s": _setitem, b"u": _setitems, b"a": _append, b"e": _appends, b"\x90": _additems,
    b"p": _put, b"q": _binput, b"r": _long_binput, b"\x94": _memoize,
    b"g": _get, b"h": _binget, b"j": _long_binget,
    b"c": _global, b"\x93": _stack_global,
    b"R": _reduce, b"\x81": _reduce, b"\x92": _newobj_ex, b"i": _inst, b"o": _obj, b"b": _build,
    b"Q": _binpersid,
}  # fmt: skip

TABLE: Final[tuple[Opcode, ...]] = tuple(_OPCODES.get(bytes((i,)), _refuse) for i in range(256))
