"""Which tensors of the leading model a merge makes anew, and why the others stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kanna.identify.beside import sort_out
from kanna.identity import Identity
from kanna.merging.recipe import Recipe
from kanna.model import TensorInfo
from kanna.ops.draft import Draft

_VAE: Final = "vae"
# A1111 merges what has this word in its name, be it a weight or not.
_A1111_MERGES: Final = "model"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """`merged` are names of the leading model, in its order; `kept` maps all others to a reason.

    Reasons: ``marker``, ``position_ids``, ``buffer``, ``integer``, ``vae``, ``ema``, ``unknown``.
    """

    merged: tuple[str, ...]
    kept: Mapping[str, str] = field(default_factory=dict)


def scope_of(draft: Draft, recipe: Recipe) -> Scope:
    """Return what of `draft`, which still is the leading model as it stands, is to be merged."""
    named, a1111 = _by_name(draft), recipe.compat == "a1111"
    known, with_vae = bool(draft.identity.parts), vae_is_merged(draft.identity, recipe)
    kept: dict[str, str] = {}
    for name, tensor in draft.model.items():
        role = draft.roles.get(name)
        reason = named.get(name) or _of_dtype(tensor) or ("ema" if role == "ema" else None)
        if reason is None and role == _VAE and not with_vae:
            reason = "vae"
        if reason is None and role is None and known:
            reason = "unknown"
        if a1111 and reason in {"buffer", "unknown"} and _A1111_MERGES in name:
            reason = _of_dtype(tensor)
        if reason is not None:
            kept[name] = reason
    return Scope(merged=tuple(name for name in draft.model if name not in kept), kept=kept)


def vae_is_merged(identity: Identity, recipe: Recipe) -> bool:
    """Whether VAEs are merged: where it is asked for, as in A1111, or of VAEs by themselves."""
    if recipe.output.vae:
        return recipe.output.vae == "merge"
    return recipe.compat == "a1111" or identity.kind == _VAE


def _of_dtype(tensor: TensorInfo) -> str | None:
    """Return why a tensor has no numbers that could be merged, or None."""
    if not tensor.numel:
        return "marker"
    return None if tensor.dtype.is_float else "integer"


def _by_name(draft: Draft) -> dict[str, str]:
    """Return the names that the tables know as no weights, be they a part's, and what they are."""
    identity, beside = draft.identity, sort_out(draft.model, draft.model.metadata)
    every: Iterable[tuple[str, Iterable[str]]] = (
        ("buffer", (name for names in beside.junk.values() for name in names)),
        ("ema", identity.ema.extra),
        ("position_ids", (key.name for key in identity.position_ids.keys)),
        ("marker", beside.markers),
    )
    return {name: word for word, names in every for name in names}
