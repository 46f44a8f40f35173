"""Every method there is: kanna's own and those of plug-ins."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from kanna.errors import UsageError
from kanna.merging.method import Method, built_in


def methods() -> Mapping[str, Method]:
    """Return all methods by name."""
    return built_in()


def method_called(name: str) -> Method:
    """Return the method with this name or alias.

    Raises:
        UsageError: there is none.
    """
    known = methods()
    by_alias = {alias: method for method in known.values() for alias in method.aliases}
    found = known.get(name) or by_alias.get(name)
    if found is None:
        near = get_close_matches(name, [*known, *by_alias], n=1) or [next(iter(known), "")]
        raise UsageError("merge.no_such_method", method=name, near=near[0])
    return found
