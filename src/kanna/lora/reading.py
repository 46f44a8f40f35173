"""The modules of an adapter file, in any dialect.

How tensors are called is in ``families/lora.toml``; here they become values. Sources of what they
mean: kohya-ss/sd-scripts networks/lora.py, KohakuBlueleaf/LyCORIS, huggingface/peft (lora_alpha,
use_rslora, alpha_pattern), huggingface/diffusers lora_base.py (lora_adapter_metadata).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from math import isfinite, sqrt
from typing import Any, Final

from kanna.errors import Incompatible
from kanna.identify.modules import Module as Listed
from kanna.identify.modules import modules_of
from kanna.identity import Identity
from kanna.lora.modules import DIFFUSION, Kind, Module
from kanna.model import ModelFile, TensorInfo

PEFT_METADATA: Final = "lora_adapter_metadata"
# The first set of pieces that a module has says what it is; ``|`` parts those of which one will do.
_KINDS: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("dora", ("up", "down", "magnitude")),
    ("lora", ("up", "down")),
    ("loha", ("hada_a", "hada_b", "hada2_a", "hada2_b")),
    ("lokr", ("w1|w1_a", "w1|w1_b", "w2|w2_a", "w2|w2_b")),
    ("boft", ("rotations",)),
    ("oft", ("rotation",)),
    ("peft-oft", ("packed_rotation",)),
    ("glora", ("a1", "a2", "b1", "b2")),
    ("ia3", ("scale", "input")),
    ("full", ("diff|set",)),
    ("norm", ("norm",)),
    ("full", ("bias",)),
)
# What one word of the tables stands for, where what it adds is not the same.
_FINER: Final = {"lora_B.bias": "up_bias", "set_weight": "set"}


def modules(
    model: ModelFile, identity: Identity | None = None, *, skip_unknown: bool = False
) -> tuple[Module, ...]:
    """Return the modules of the adapter `model`, in the order of the file.

    With `skip_unknown`, tensors that no dialect has are left out: `unknown` names them.

    Raises:
        Incompatible: there are such tensors, or the file holds no adapter.
        FormatError: an alpha cannot be read.
    """
    if identity is not None and identity.kind != "lora":
        raise Incompatible("lora.no_lora", path=model.path, kind=identity.kind)
    found, left = _read(model)
    if left and not skip_unknown:
        raise Incompatible("lora.unknown_tensors", path=model.path, count=len(left), name=left[0])
    if not found:
        raise Incompatible("lora.no_modules", path=model.path)
    return found


def unknown(model: ModelFile) -> tuple[str, ...]:
    """Return the names of the tensors that belong to no module.

    Raises:
        FormatError: an alpha cannot be read.
    """
    return _read(model)[1]


def _read(model: ModelFile) -> tuple[tuple[Module, ...], tuple[str, ...]]:
    settings = _peft_settings(model.metadata)
    listed = modules_of({name: tensor.shape for name, tensor in model.items()}, model)
    made, used = [], set[str]()
    for row in listed:
        module = _module(model, row, settings)
        if module is not None:
            made.append(module)
            used.update(row.names.values())
    return tuple(made), tuple(name for name in model if name not in used)


def _module(model: ModelFile, row: Listed, settings: Mapping[str, Any]) -> Module | None:
    """Return one module, or None where its pieces make nothing that is known."""
    pieces = {_piece(word, name, model[name]): model[name] for word, name in row.names.items()}
    alpha = pieces.pop("alpha", None)
    kind = next((kind for kind, words in _KINDS if all(_has(pieces, w) for w in words)), None)
    if kind is None or (alpha is not None and alpha.numel != 1):
        return None
    name = next(iter(row.names.values()))
    at = name.find(row.path)
    number = _number(alpha) if alpha is not None else None
    rank = row.sizes.rank
    if number is None and ".lora_A" in "".join(row.names.values()):
        number = _peft_alpha(settings, name, row.path, rank)
    return Module(
        name=name[: at + len(row.path)] if at >= 0 else row.path,
        reach=row.reach or DIFFUSION, path=row.path, kind=kind, pieces=pieces, alpha=number,
        rank=rank, stored_alpha=alpha,
    )  # fmt: skip


def _has(pieces: Mapping[str, TensorInfo], words: str) -> bool:
    return any(word in pieces for word in words.split("|"))


def _piece(word: str, name: str, tensor: TensorInfo) -> str:
    if word == "rotation" and len(tensor.shape) > 3:  # BOFT's factors
        return "rotations"
    return next((finer for end, finer in _FINER.items() if name.endswith(end)), word)


def _number(tensor: TensorInfo) -> float | None:
    """Return the one number of a tensor; None where it is none that can be used."""
    numbers = tensor.numbers()
    number = float(numbers[0]) if numbers else 0.0
    return number if isfinite(number) else None


def _peft_settings(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the settings of PEFT that diffusers keeps in a file; what is no object is none."""
    held: object = None
    with suppress(ValueError, RecursionError):
        held = json.loads(metadata.get(PEFT_METADATA, "null"))
    return held if isinstance(held, dict) else {}


def _peft_alpha(
    settings: Mapping[str, Any], name: str, path: str, rank: int | None
) -> float | None:
    """Return the alpha that PEFT's settings give a module, as one that is held against its rank.

    The part's word may stand before each key: ``unet.lora_alpha``.
    """
    start = name.partition(".")[0] + "."
    own = start if any(key.startswith(start) for key in settings) else ""
    alpha = settings.get(f"{own}lora_alpha")
    patterns = settings.get(f"{own}alpha_pattern")
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        key = pattern.removeprefix("^")  # diffusers anchors them
        if path == key or path.endswith(f".{key}"):
            alpha = value
    if not isinstance(alpha, int | float) or not isfinite(alpha):
        return None
    return alpha * sqrt(rank) if settings.get(f"{own}use_rslora") is True and rank else alpha
