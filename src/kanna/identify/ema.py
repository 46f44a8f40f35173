"""The averaged copy (EMA) of a model: which tensor is the copy of which.

LitEma names a copy by dropping every dot, ``model_ema.diffusion_modelinput_blocks00weight``. That
cannot be undone by looking at the name, so names are always made forwards: from the model's own
names, or from the tables where the file has the copy alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kanna.families import Component, component, tables
from kanna.families.keys import fits
from kanna.identity import Ema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanna.identify.recognise import Found
    from kanna.model import TensorInfo


def find_ema(
    model: Mapping[str, TensorInfo], found: Iterable[Found]
) -> tuple[Ema, Component | None]:
    """Return the averaged copy in the file, paired with the model's names.

    The row is that of the copied model, where the file has no such model beside the copy.
    """
    diffusion = [one for one in found if one.row.role == "diffusion_model"]
    for rule in tables()["everywhere"]["ema"]:
        names = [name for name in model if name.startswith(rule["prefix"])]
        extra = [name for name in names if name in rule.get("extra", ())]
        if len(names) == len(extra):
            continue
        originals = next(
            (one.known + one.missing for one in diffusion if one.prefix.startswith(rule["of"])),
            None,
        )
        if originals is not None:
            return _paired(originals, names, extra, model, rule), None
        if rule.get("dotless"):
            row = row_of_copy(names, model, rule)
            originals = [f"{model_prefix(rule)}{name}" for name in row.required] if row else []
            return _paired(originals, names, extra, model, rule), row
    return Ema(), None


def row_of_copy(
    names: Iterable[str], model: Mapping[str, TensorInfo], rule: Mapping[str, Any]
) -> Component | None:
    """Return the row whose copy `names` are, where the file has no model of its own."""
    there = set(names)
    best: tuple[int, Component | None] = (0, None)
    for number, raw in enumerate(tables()["components"]):
        if raw["role"] != "diffusion_model" or "keys" not in raw:
            continue
        row = component(number)
        first = model_prefix(rule)
        copies = {copy_name(first + name, rule): sizes for name, sizes in row.required.items()}
        seen = there & copies.keys()
        right = sum(fits(model[name].shape, copies[name]) for name in seen)
        # At least 19 of 20 fit, and at least half of the model is there.
        if 20 * right >= 19 * len(seen) and 2 * right >= len(copies) and right > best[0]:
            best = (right, row)
    return best[1]


def copy_name(name: str, rule: Mapping[str, Any] | None = None) -> str:
    """Return the name of the copy of the model tensor `name`: LitEma's, or that of another rule."""
    rule = rule or tables()["everywhere"]["ema"][0]
    rest = name.removeprefix(rule["of"])
    return f"{rule['prefix']}{rest.replace('.', '') if rule.get('dotless') else rest}"


def model_prefix(rule: Mapping[str, Any]) -> str:
    """Return the prefix of a diffusion model whose copy `rule` names."""
    return f"{rule['of']}diffusion_model."


def _paired(
    originals: list[str],
    names: list[str],
    extra: list[str],
    model: Mapping[str, TensorInfo],
    rule: Mapping[str, Any],
) -> Ema:
    copies = {name: copy_name(name, rule) for name in originals}
    pairs = {name: copy for name, copy in copies.items() if copy in model}
    missing = tuple(name for name in originals if name not in pairs)
    known = {*pairs.values(), *extra}
    return Ema(
        present=True,
        complete=bool(pairs) and not missing,
        bytes=sum(model[name].nbytes for name in names),
        prefix=rule["prefix"],
        pairs=pairs,
        missing=missing,
        extra=tuple(extra),
        unmatched=tuple(name for name in names if name not in known),
    )
