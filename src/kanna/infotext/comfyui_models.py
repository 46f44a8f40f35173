"""The models that a graph names: by inputs of its nodes, and by words in its prompts.

Loaders of any pack are found by what their inputs are called. ComfyUI knows models by file names,
with folders below its own, and writes no digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, get_args

from kanna.infotext.comfyui_graph import Node
from kanna.infotext.comfyui_nodes import ModelInput, node_table
from kanna.infotext.comfyui_said import text_in
from kanna.infotext.comfyui_walk import Walk
from kanna.infotext.info import ModelReference, Role
from kanna.infotext.values import list_of, number_of, object_of, text_of, whole_of

_EMBEDDING: Final = re.compile(r"embedding:([^\s,:()\[\]{}<>|]+)(?::(-?[0-9.]+)(?=\)))?")
_TAG: Final = re.compile(r"<(?:lora|lyco):([^:<>\n]+)(?::(-?[0-9.]+))?[^<>\n]*>")
_ANY: Final = re.compile("")
_ROLES: Final = get_args(Role)
_MAX_NAME: Final = 1000  # characters


def models_of(
    walk: Walk, nodes: Iterable[Node], prompts: Iterable[str]
) -> tuple[ModelReference, ...]:
    """Return the models that nodes and prompts name, each once, by their roles."""
    found: dict[object, ModelReference] = {}
    for one in (*_of_nodes(walk, nodes), *_embeddings(prompts)):
        found.setdefault((one.role, one.name, one.stage), one)
    return tuple(sorted(found.values(), key=lambda one: _ROLES.index(one.role)))


def _of_nodes(walk: Walk, nodes: Iterable[Node]) -> Iterator[ModelReference]:
    for node in nodes:
        where = f"{node.kind}#{node.id}"
        for name, value in node.inputs.items():
            yield from _of_input(walk, node, name, value, where)
        if walk.row(node).tags:
            said = (text_in(walk, node, name) for name in node.inputs)
            for match in (m for one in said if one for m in _TAG.finditer(one.text)):
                weight = number_of(match[2])
                yield ModelReference(role="lora", name=match[1], weight=weight, where=where)


def _of_input(
    walk: Walk, node: Node, name: str, value: Any, where: str
) -> Iterator[ModelReference]:
    if isinstance(value, dict | list):
        yield from _bundled(name, value, where)
        return
    known = walk.row(node).models
    if known is None:
        row, number = _row_of(name)
    else:
        row = ModelInput(name=_ANY, role=known[name]) if name in known else None
        number = ""
    if row is not None:
        yield from _of_row(walk, _Met(node, name, where, row, number))


@lru_cache(maxsize=4096)
def _row_of(name: str) -> tuple[ModelInput | None, str]:
    """Return the row of inputs with this name, and the number in the name."""
    for row in node_table().inputs:
        if match := row.name.fullmatch(name):
            groups = match.groupdict()
            return row, groups.get("number") or groups.get("other") or ""
    return None, ""


@dataclass(frozen=True, slots=True)
class _Met:
    """An input that names a model by a row of the table; `number` is that in its name."""

    node: Node
    name: str
    where: str
    row: ModelInput
    number: str

    def with_number(self, name: str) -> str:
        """Return a name for which the number of this input is asked."""
        return name.replace("{}", self.number)


def _of_row(walk: Walk, met: _Met) -> Iterator[ModelReference]:
    found = walk.value(met.node, met.name)
    name = text_of(found.value) if found else None
    if name is None or not _is_name(walk, name, met.row) or _is_off(walk, met):
        return
    yield ModelReference(
        role=met.row.role, name=name, weight=_weight(walk, met), where=met.where,
        stage=met.row.stage,
    )  # fmt: skip


def _weight(walk: Walk, met: _Met) -> float | None:
    """Return the first weight that is a number: those that the node's mode names, then any."""
    choice = walk.row(met.node).weights
    chosen = choice and choice.inputs.get(str(met.node.inputs.get(choice.by)))
    names = map(met.with_number, (*([chosen] if chosen else []), *met.row.weight))
    found = (walk.value(met.node, one) for one in names if one in met.node.inputs)
    numbers = (number_of(one.value) for one in found if one)
    return next((number for number in numbers if number is not None), None)


def _is_off(walk: Walk, met: _Met) -> bool:
    most = whole_of(met.node.inputs.get(walk.row(met.node).count))
    if most is not None and (whole_of(met.with_number("{}")) or 0) > most:
        return True
    switch = met.node.inputs.get(met.with_number(met.row.switch)) if met.row.switch else None
    return switch in {"Off", "off", "OFF"} if isinstance(switch, str) else switch is False


def _is_name(walk: Walk, name: str, row: ModelInput) -> bool:
    if name in walk.table.walking["none"] or len(name) > _MAX_NAME or "\n" in name:
        return False
    return not row.suffix or name.lower().endswith(walk.table.walking["suffixes"])


def _bundled(name: str, value: Any, where: str) -> Iterator[ModelReference]:
    """Yield LoRAs of widgets that are objects: rgthree's, and the lists of LoRA Manager."""
    entries = [value] if isinstance(value, dict) else list_of(value)
    inner = object_of(value).get("__value__")
    if name == "loras" and isinstance(inner, list):
        entries = inner
    for entry in map(object_of, entries):
        lora = text_of(entry.get("lora") or (entry.get("name") if name == "loras" else None))
        if lora and lora != "None" and _is_on(entry):
            yield ModelReference(
                role="lora", name=lora, weight=number_of(entry.get("strength")), where=where
            )


def _is_on(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("on", True)) and bool(entry.get("active", True))


def _embeddings(prompts: Iterable[str]) -> Iterator[ModelReference]:
    for prompt in prompts:
        for match in _EMBEDDING.finditer(prompt):
            weight = number_of(match[2])
            name = match[1].rstrip(".")
            yield ModelReference(role="embedding", name=name, weight=weight, where="prompt")
