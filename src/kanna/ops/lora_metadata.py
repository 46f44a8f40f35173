"""What a LoRA that was made says about itself: kohya's words, ModelSpec's, and how it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from kanna.identify.adapter import PEFT_METADATA
from kanna.identity import Identity
from kanna.lora.dialects import Dialect
from kanna.lora.made import Made
from kanna.lora.modules import Module
from kanna.lora.writing import Spelled
from kanna.metadata import HISTORY, Metadata, extended
from kanna.metadata.filling import fill
from kanna.metadata.training import parsed
from kanna.model import ModelFile

# What kohya's trainers call a base model, and the module that makes LoRAs of it. Source:
# kohya-ss/sd-scripts library/model_util.py, sdxl_model_util.py, flux_utils.py; networks/*.py
_KOHYA: Final[Mapping[str, tuple[str, str]]] = {
    "sd1": ("sd_v1", "networks.lora"),
    "sd2": ("sd_v2", "networks.lora"),
    "sdxl": ("sdxl_base_v1-0", "networks.lora"),
    "flux": ("flux1", "networks.lora_flux"),
}
_IMPLEMENTATION: Final = "modelspec.implementation"
_RANKS: Final = ("conv_dim", "conv_alpha")  # of ss_network_args
_DYNAMIC: Final = "Dynamic"  # as kohya's resize_lora.py writes it


def of_extraction(
    base: ModelFile, identity: Identity, made: Iterable[Made], dialect: Dialect,
    step: Mapping[str, object], *, digest: bool,
) -> Metadata:  # fmt: skip
    """Return the metadata of a LoRA for `base`, which is what `identity` says."""
    fields = fill(replace(identity, kind="lora", layout=dialect.layout)).fields
    if dialect.alpha == "tensor":
        fields |= network_fields(made) | _of_base(base, identity)
    return extended(fields, step, digest=digest)


def of_change(
    old: Mapping[str, str], made: Iterable[Made], step: Mapping[str, object], *, digest: bool
) -> Metadata:
    """Return the metadata of a LoRA that was made of others, of which `old` is still true."""
    fields = {key: value for key, value in old.items() if key != PEFT_METADATA}
    if any(key.startswith("ss_") for key in fields):
        new = network_fields(made)
        arguments = parsed(fields.pop("ss_network_args", "")) or {}
        if "ss_network_args" in new or arguments:
            known = arguments if isinstance(arguments, dict) else {}
            kept = {key: value for key, value in known.items() if key not in _RANKS}
            own = parsed(new.get("ss_network_args", "{}"))
            new["ss_network_args"] = json.dumps({**kept, **own})
        fields |= new
    return extended(fields, step, digest=digest)


def of_model(identity: Identity, dialect: Dialect | None) -> dict[str, str]:
    """Return what can be said of any LoRA for the model of `identity`, in `dialect` if known."""
    laid = replace(identity, layout=dialect.layout) if dialect else identity
    fields = dict(fill(laid).fields)
    version, module = _KOHYA.get(identity.architecture or "", (None, "networks.lora"))
    if dialect and dialect.alpha == "tensor" and version and identity.architecture != "sd2":
        fields |= {"ss_network_module": module, "ss_base_model_version": version}
    return fields


def of_conversion(
    old: Mapping[str, str], identity: Identity, spelled: Spelled, dialect: Dialect,
    step: Mapping[str, object], *, digest: bool,
) -> Metadata:  # fmt: skip
    """Return the metadata of a LoRA in another dialect: `old`, less what has become untrue."""
    kept = {key: value for key, value in old.items() if key != PEFT_METADATA}
    said = fill(replace(identity, layout=dialect.layout)).fields
    fields = {**said, **kept}
    if _IMPLEMENTATION in said:
        fields[_IMPLEMENTATION] = said[_IMPLEMENTATION]
    if dialect.alpha == "tensor" and "ss_network_module" not in kept:
        fields |= _of_network(spelled.modules)
    return extended({**fields, **spelled.metadata}, step, digest=digest)


def _of_network(modules: Iterable[Module]) -> dict[str, str]:
    """Return what kohya's programs read of modules that were trained elsewhere."""
    every = list(modules)
    kind = next((module.kind for module in every if module.kind not in {"lora", "dora"}), None)
    lycoris = kind is not None or any(module.decomposed for module in every)
    fields = {
        "ss_network_module": "lycoris.kohya" if lycoris else "networks.lora",
        "ss_network_dim": _one(module.rank for module in every if module.rank),
        "ss_network_alpha": _one(module.scale * module.rank for module in every if module.rank),
        "ss_network_args": json.dumps({"algo": kind or "lora"}) if lycoris else None,
    }
    return {key: value for key, value in fields.items() if value}


def common(several: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the fields that several files agree on, what was done to each of them aside."""
    first, *others = several
    return {
        key: value for key, value in first.items()
        if key != HISTORY and all(one.get(key) == value for one in others)
    }  # fmt: skip


def network_fields(made: Iterable[Made]) -> dict[str, str]:
    """Return what kohya's trainers say of ranks and alphas, which are one here."""
    every = list(made)
    plain, conv = (
        _one(one.wanted for one in every if _is_conv(one) is kind) for kind in (False, True)
    )
    fields = {"ss_network_dim": plain or conv or "", "ss_network_alpha": plain or conv or ""}
    if plain and conv:
        fields["ss_network_args"] = json.dumps({"conv_dim": conv, "conv_alpha": conv})
    return fields


def _is_conv(one: Made) -> bool:
    return any(size > 1 for size in one.down_shape[2:])


def _one(values: Iterable[float]) -> str | None:
    """Return the one number that all have, kohya's word where they differ, None without any."""
    found = set(values)
    return None if not found else f"{found.pop():g}" if len(found) == 1 else _DYNAMIC


def _of_base(base: ModelFile, identity: Identity) -> dict[str, str]:
    version, module = _KOHYA.get(identity.architecture or "", (None, "networks.lora"))
    if identity.architecture == "sd2" and identity.prediction and identity.prediction.type == "v":
        version = "sd_v2_v"
    hashes = identity.hashes or {}
    said = {
        "ss_network_module": module, "ss_base_model_version": version,
        "ss_v2": str(identity.architecture == "sd2"), "ss_sd_model_name": base.path.name,
        "ss_sd_model_hash": hashes.get("autov1"), "ss_new_sd_model_hash": hashes.get("sha256"),
    }  # fmt: skip
    return {key: str(value) for key, value in said.items() if value}
