"""Links of a drawn graph: those that are drawn, and those that "Anything Everywhere" stands for.

Sources: Comfy-Org/ComfyUI_frontend (LLink); chrisgoringe/cg-use-everywhere js (``ue_links``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kanna.infotext.values import list_of, object_of


class Wire(NamedTuple):
    """A link as it is drawn; where it leads to is not said of one that is broadcast."""

    source: int | str
    source_slot: int
    target: int | None = None
    target_slot: int | None = None


def wires(drawn: Mapping[str, Any]) -> dict[int, Wire]:
    """Return the links of a sheet by number; they are lists, or objects in newer files."""
    found: dict[int, Wire] = {}
    for one in list_of(drawn.get("links")):
        if isinstance(one, dict):
            keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
            said = [one.get(key) for key in keys]
        else:
            said = list_of(one)[:5]
        numbers = [number for number in said if isinstance(number, int)]
        if len(numbers) == 5:
            found[numbers[0]] = Wire(*numbers[1:])
    return found


def broadcast(drawn: Mapping[str, Any]) -> dict[tuple[str, int], Wire]:
    """Return what inputs without a link are given by "Anything Everywhere", by node and slot."""
    found: dict[tuple[str, int], Wire] = {}
    for one in map(object_of, list_of(object_of(drawn.get("extra")).get("ue_links"))):
        source, target = one.get("upstream"), one.get("downstream")
        source_slot, slot = one.get("upstream_slot"), one.get("downstream_slot")
        nodes = isinstance(source, int | str) and isinstance(target, int | str)
        if nodes and isinstance(source_slot, int) and isinstance(slot, int):
            found[str(target), slot] = Wire(str(source), source_slot)
    return found
