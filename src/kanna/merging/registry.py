"""Every method there is: kanna's own, and those of plug-ins, which come second."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from kanna.errors import UsageError
from kanna.merging.method import Method, built_in
from kanna.messages import say

if TYPE_CHECKING:
    from kanna.merging.discovery import Plugged
    from kanna.model import Note


def methods() -> Mapping[str, Method]:
    """Return all methods by name, kanna's own first; plug-ins are imported."""
    return MappingProxyType({**built_in(), **_plugged().methods})


def left_out() -> tuple[Note, ...]:
    """Return why plug-ins are not among the methods: broken ones, and names that are taken."""
    return tuple(_plugged().left_out.values())


def method_called(name: str) -> Method:
    """Return the method with this name or alias, whatever its case, with dashes or underscores.

    For a name of kanna's own no plug-in is imported.

    Raises:
        UsageError: there is none, or the plug-in that has it does not work.
    """
    word = spelled(name)
    found = _own().get(word)
    if found is not None:
        return found
    known = _by_word(methods())
    if word in known:
        return known[word]
    broken = _plugged().left_out.get(name)
    if broken is not None:
        raise UsageError("methods.left_out", method=name, reason=say(broken.key, **broken.values))
    near = get_close_matches(word, known, n=1)
    if not near:
        raise UsageError("merge.no_method_like", method=name)
    raise UsageError("merge.no_such_method", method=name, near=near[0])


def words_of(method: Method) -> tuple[str, ...]:
    """Return everything that `method` is called, as words are compared."""
    return tuple(map(spelled, (method.name, *method.aliases)))


def spelled(word: str) -> str:
    """Return a method's name as names are compared: other programs have ``_`` where kanna has -."""
    return word.casefold().replace("_", "-")


@cache
def _own() -> Mapping[str, Method]:
    return _by_word(built_in())


def _by_word(known: Mapping[str, Method]) -> Mapping[str, Method]:
    """Return methods by their names and aliases; a name comes before an alias."""
    aliases = {word: one for one in known.values() for word in words_of(one)}
    return {**aliases, **{spelled(name): one for name, one in known.items()}}


def _plugged() -> Plugged:
    found: Plugged = import_module("kanna.merging.discovery").plugged()
    return found
