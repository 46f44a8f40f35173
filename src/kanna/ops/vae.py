"""Bake a VAE into a checkpoint: under the checkpoint's own names, whole, or not at all.

The source may be a bare VAE, a prefixed one, a whole checkpoint, or a diffusers file, with its
attention weights as matrices or as 1x1 convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kanna.dtypes import FP16
from kanna.errors import Incompatible, Incomplete, NumericError
from kanna.families import Component, family, row_called, tables, title
from kanna.families.keys import ShapeRule, fits
from kanna.hashing.components import component_digest, component_digests, native_names
from kanna.identity import Identity
from kanna.model import ModelFile, TensorInfo
from kanna.ops.draft import Draft
from kanna.plan import Output

_NATIVE = "ldm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A VAE that was put into a plan: its tensors by native name, and the prefix they get.

    `digest` is the component digest of the source in fp16.
    """

    source: Mapping[str, TensorInfo]
    prefix: str
    digest: str

    def prove(self, written: ModelFile) -> None:
        """Compare the VAE in the written file with the source, number by number.

        Raises:
            NumericError: they differ.
        """
        found = {name: written[self.prefix + name] for name in self.source}
        dtype = next((t.dtype for t in found.values() if t.dtype.is_float), FP16)
        wanted = self.digest if dtype is FP16 else component_digest(self.source, dtype)
        if component_digest(found, dtype) != wanted:
            raise NumericError("convert.vae_not_proved", path=written.path)


def bake(draft: Draft, vae: ModelFile, identity: Identity) -> Baked:
    """Put the VAE of `vae` in the place of the checkpoint's.

    Raises:
        Incomplete: `vae` holds no VAE, or one that lacks tensors.
        Incompatible: the VAE's names or shapes are not those that the checkpoint needs.
    """
    source = canonical_vae(vae, identity)
    wanted, prefix = _place(draft)
    _check(draft, vae, source, wanted)
    source = {name: source[name] for name in wanted}
    old = _take_out_old(draft, {prefix + name for name in wanted})
    for name, shape in wanted.items():
        draft.put(Output.of(source[name], name=prefix + name, shape=shape), "vae")
    draft.inputs.append(vae)
    draft.tags.append("vae")
    digest, *replaced = component_digests([source, old] if old else [source], FP16)
    draft.done["vae"] = {
        "source": vae.path.name,
        "sha256_fp16": digest,
        "replaced_sha256_fp16": replaced[0] if replaced else None,
    }
    draft.note("convert.vae_baked", name=vae.path.name, count=len(wanted))
    _warn_of_strangers(draft, vae, identity)
    return Baked(source=source, prefix=prefix, digest=digest)


def _place(draft: Draft) -> tuple[dict[str, tuple[int, ...]], str]:
    """Return the native names and shapes of the VAE that the checkpoint takes, and its prefix.

    Raises:
        Incompatible: no place for a VAE is known.
    """
    identity, old = draft.identity, draft.identity.part("vae")
    known = family(identity.architecture or "")
    inside = identity.part("diffusion_model")
    row = _native_row(known.vae, old.component if old else None) if known and known.vae else None
    if known is None or row is None or inside is None or not inside.prefix:
        raise Incompatible("convert.vae_no_place", path=draft.model.path)
    shapes = {name: _shape(rule) for name, rule in row.required.items()}
    return shapes, old.prefix if old else known.vae_prefix


def _native_row(architecture: str, component: str | None) -> Component | None:
    """Return the row of a VAE in native names: the one inside, else the architecture's, if any."""
    rows = [row for row in tables()["components"] if row["role"] == "vae"]
    rows = [row for row in rows if row.get("layout") == _NATIVE]
    inside = [row for row in rows if row["id"] == component]
    usual = [
        row for row in rows
        if architecture in row.get("architectures", ()) and not row.get("variants")
    ]  # fmt: skip
    found = [*inside, *usual]
    return row_called(found[0]["id"]) if found else None


def _shape(rule: ShapeRule | None) -> tuple[int, ...]:
    return tuple(size for size in rule or () if isinstance(size, int))


def canonical_vae(model: ModelFile, identity: Identity) -> dict[str, TensorInfo]:
    """Return the VAE inside `model` by its native names, without prefix.

    Raises:
        Incomplete: there is none, or it lacks tensors.
    """
    part = identity.part("vae")
    if part is None:
        raise Incomplete("convert.vae_absent", path=model.path)
    if part.missing:
        raise Incomplete("convert.vae_incomplete", path=model.path, count=len(part.missing),
                         names=", ".join(part.missing[:5]))  # fmt: skip
    names = native_names(part)
    return {names[name]: model[name] for name in names}


def _check(
    draft: Draft,
    vae: ModelFile,
    source: Mapping[str, TensorInfo],
    wanted: Mapping[str, tuple[int, ...]],
) -> None:
    model = draft.model.path.name
    for name, shape in wanted.items():
        found = source.get(name)
        if found is None:
            raise Incompatible("convert.vae_lacks", path=vae.path, model=model, name=name)
        if not found.dtype.is_float:
            raise Incompatible("convert.vae_no_floats", path=vae.path, model=model, name=name,
                               dtype=found.dtype.word)  # fmt: skip
        if not fits(found.shape, shape):
            raise Incompatible("convert.vae_unfit", path=vae.path, model=model, name=name,
                               found=_by(found.shape), wanted=_by(shape))  # fmt: skip


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _take_out_old(draft: Draft, new_names: set[str]) -> dict[str, TensorInfo] | None:
    """Take out what the new VAE does not overwrite; return the old one by its native names."""
    part = draft.identity.part("vae")
    if part is None:
        return None
    names = native_names(part)
    draft.remove(set(names) - new_names)
    return {names[name]: draft.model[name] for name in names}


def _warn_of_strangers(draft: Draft, vae: ModelFile, identity: Identity) -> None:
    """Say it where the VAE belongs to another architecture of the same shapes, or may do so."""
    part = identity.part("vae")
    known = family(draft.identity.architecture or "")
    if part is None or known is None or known.vae is None:
        return
    name = vae.path.name
    if part.architecture is None:
        theirs = " / ".join(map(title, part.architecture_candidates))
        draft.note("convert.vae_of_either", name=name, ours=known.title, theirs=theirs)
    elif part.architecture != known.vae:
        theirs = title(part.architecture)
        draft.note("convert.vae_stranger", warning=True, name=name, ours=known.title, theirs=theirs)
    if part.unexpected:
        draft.note("convert.vae_extras_left", warning=True, name=name, count=len(part.unexpected),
                   names=", ".join(part.unexpected[:3]))  # fmt: skip
