"""Judges what a pickle names, calls and changes: only known globals, used as known, are clean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint import torch_names as names
from kanna.formats.checkpoint.pickle_machine import FRAME, TARGET, VALUE
from kanna.formats.checkpoint.pickle_nodes import global_of
from kanna.formats.checkpoint.pickle_survey import survey
from kanna.model import Note
from kanna.scan.familiar import (
    ALSO_KNOWN,
    ENUMERATIONS,
    LISTS,
    RECONSTRUCTOR,
    VALUES,
    is_familiar,
)
from kanna.scan.uses import unusual_use
from kanna.scan.values import GlobalVerdict, Place, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kanna.formats.checkpoint.pickle_nodes import Call
    from kanna.formats.checkpoint.pickle_survey import Break, Survey
    from kanna.formats.checkpoint.pickle_vm import GlobalUse
    from kanna.scan.report import Report

_IDENTIFIER: Final = re.compile(r"[^\W\d][\w.]*(:?[\w.]+)?")
_PICKLED: Final = re.compile(rb"\x80[\x02-\x05]|\(?[ci][A-Za-z_][\w.]*\n[A-Za-z_]")
_MAX_NESTED: Final = 4
_MAX_LITERALS: Final = 1000
_STACK_GLOBAL: Final = 0x93
_UNUSUAL: Final = frozenset(b"P\x82\x83\x84\x97\x98")


def judge(report: Report, found: Survey, place: Place, *, depth: int = 0) -> None:
    """Add what is wrong with one stream to `report`.

    Args:
        report: takes the globals and threats.
        found: the stream, surveyed.
        place: where it is; positions count from its offset.
        depth: how many pickles this one lies inside of.
    """
    made = _made_empty(found.calls)
    for use in found.globals:
        _judge_global(report, use, place, patched=use.dotted in found.patched, made=made)
    for call in found.calls:
        _judge_call(report, call, place)
    for broken in found.breaks:
        _judge_break(report, broken, place)
    for use in found.hidden:
        if use.dotted not in names.KNOWN:
            note = Note("scan.ks109_is", {"name": use.dotted})
            report.add("KS109", note, place, name=use.dotted, position=use.position)
    if depth < _MAX_NESTED:
        _judge_literals(report, found, place, depth)


def is_pickle(found: Survey) -> bool:
    """Whether bytes that were tried as a pickle are one: it names something, and ends or calls it.

    Weights and texts begin with opcodes, too; few of them come to that.
    """
    return any(is_name(use) and (use.called or found.end is not None) for use in found.globals)


def is_name(use: GlobalUse) -> bool:
    """Whether a global could be one, and is not made of weights."""
    return all(_IDENTIFIER.fullmatch(part) for part in (use.module, use.name))


def _made_empty(calls: tuple[Call, ...]) -> dict[str, bool]:
    """Return, by name, whether every call of a global makes an empty object or names a word."""
    made: dict[str, bool] = {}
    for call in calls:
        function = global_of(call.function)
        if function is not None:
            name = function.dotted
            word = len(call.arguments) == 1 and type(call.arguments[0]) in (str, int)
            empty = not call.arguments and not call.keywords
            fine = empty or name in LISTS or name in VALUES or (word and name in ENUMERATIONS)
            made[name] = made.get(name, True) and fine
            _note_reconstructed(made, call, name)
    return made


def _note_reconstructed(made: dict[str, bool], call: Call, name: str) -> None:
    """Take ``copyreg._reconstructor(class, object, None)`` for an empty object of the class."""
    if name == RECONSTRUCTOR and len(call.arguments) == 3:
        base = global_of(call.arguments[1])
        plain = base is not None and base.dotted == "builtins.object"
        made[name] = made[name] or (plain and call.arguments[2] is None)


def _judge_global(
    report: Report, use: GlobalUse, place: Place, *, patched: bool, made: dict[str, bool]
) -> None:
    verdict = _verdict(use, made)
    if patched:
        verdict = "dangerous"
        note = Note("scan.ks105_class", {"name": use.dotted})
        report.add("KS105", note, place, name=use.dotted, position=use.position)
    elif verdict != "clean":
        code = "KS103" if verdict == "suspicious" else "KS101" if use.called else "KS102"
        note = Note(f"scan.{code.lower()}_is", {"name": use.dotted})
        report.add(code, note, place, name=use.dotted, position=use.position)
    report.see(
        GlobalVerdict(
            name=use.dotted, verdict=verdict, called=use.called, position=use.position, place=place
        )
    )


def _verdict(use: GlobalUse, made: dict[str, bool]) -> Verdict:
    if "." in use.name:  # a loader would walk from one object to the next
        return "dangerous"
    if use.dotted in names.KNOWN or use.dotted in ALSO_KNOWN:
        return "clean"
    harmless = not use.called or made.get(use.dotted, False)
    listed = use.dotted == RECONSTRUCTOR or use.dotted in LISTS or use.dotted in VALUES
    familiar = listed or is_familiar(use.module, use.name)
    return "suspicious" if familiar and harmless else "dangerous"


def _judge_call(report: Report, call: Call, place: Place) -> None:
    function = global_of(call.function)
    if function is None:
        return
    for state in call.states or ():
        if _plants(state):
            note = Note("scan.ks105_object", {"name": function.dotted})
            report.add("KS105", note, place, name=function.dotted)
    if unusual_use(call, function.dotted):
        note = Note("scan.ks106_is", {"name": function.dotted})
        report.add("KS106", note, place, name=function.dotted)


def _plants(state: object) -> bool:
    """Whether a state sets an attribute that Python itself would call."""
    parts = state if type(state) is tuple else (state,)
    return any(
        type(key) is str and key.startswith("__") and key.endswith("__")
        for part in parts
        if type(part) is dict
        for key in part
    )


def _judge_break(report: Report, broken: Break, place: Place) -> None:
    values = {"position": broken.position}
    if broken.opcode == _STACK_GLOBAL and broken.key in (TARGET, VALUE):
        report.add("KS104", Note("scan.ks104_is", values), place, position=broken.position)
    elif broken.opcode in _UNUSUAL and broken.key != FRAME:
        report.add("KS107", Note("scan.ks107_is", values), place, position=broken.position)
    else:
        reason = Note(broken.key, {"path": place.path})
        note = Note("scan.ks108_is", {**values, "reason": reason})
        report.add("KS108", note, place, position=broken.position)


def _judge_literals(report: Report, found: Survey, place: Place, depth: int) -> None:
    """Look into bytes that calls are given: a loader inside a loader reads those as a pickle."""
    for count, data in enumerate(_literals(found.calls)):
        if count >= _MAX_LITERALS:
            return
        if not _PICKLED.match(data):
            continue
        inner = survey(data)
        if is_pickle(inner) or inner.hidden:
            note = Note("scan.ks111_is", {"count": len(data)})
            inside = Place(path=place.path, member=place.member)
            report.add("KS111", note, inside)
            judge(report, inner, inside, depth=depth + 1)


def _literals(calls: tuple[Call, ...]) -> Iterator[bytes]:
    """Yield the bytes among the arguments of calls, also those that protocol 2 spells as text."""
    for call in calls:
        function = global_of(call.function)
        as_text = function is not None and function.dotted == names.BYTES_AS_TEXT
        for argument in call.arguments:
            if type(argument) in (bytes, bytearray):
                yield bytes(argument)  # type: ignore[call-overload]
            elif as_text and type(argument) is str:
                yield argument.encode("latin-1", "replace")
