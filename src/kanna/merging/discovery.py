"""The methods of installed packages, by the entry points of the group ``kanna.methods``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final

from kanna.merging.method import Method, built_in
from kanna.merging.plugins import MARK
from kanna.merging.registry import words_of
from kanna.model import Note

GROUP: Final = "kanna.methods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugged:
    """What plug-ins bring: methods by name, and by name what is wrong with those left out."""

    methods: Mapping[str, Method]
    left_out: Mapping[str, Note]


@cache
def plugged() -> Plugged:
    """Import every plug-in that is installed, and return what is in them.

    One that fails, or whose name or alias is taken, is left out, with the reason.
    """
    taken = {word for one in built_in().values() for word in words_of(one)}
    methods: dict[str, Method] = {}
    left_out: dict[str, Note] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        said: dict[str, object] = {"name": entry.name, "package": _package(entry)}
        try:
            found = _method(entry)
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stranger's code does
            reason = f"{type(error).__name__}: {error}"
            left_out[entry.name] = Note("methods.plugin_broken", {**said, "reason": reason})
            continue
        clashes = [word for word in words_of(found) if word in taken]
        if clashes:
            left_out[entry.name] = Note("methods.plugin_taken", {**said, "word": clashes[0]})
            continue
        methods[found.name] = found
        taken.update(words_of(found))
    return Plugged(methods=MappingProxyType(methods), left_out=MappingProxyType(left_out))


def _method(entry: EntryPoint) -> Method:
    found = entry.load()
    if isinstance(found, Method):
        return found
    made = getattr(found, MARK, None)
    if not isinstance(made, Method):
        raise TypeError(f"{entry.value} is no function that kanna.merging.plugins.method has made")
    return replace(made, function=f"{entry.module}:{entry.attr}")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "?"
