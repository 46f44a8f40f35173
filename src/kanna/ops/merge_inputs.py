"""The files of a merge, and what each is for: to lead, to be merged, to lend a VAE, a LoRA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kanna.identify import identify
from kanna.identity import Identity, Part
from kanna.merging.recipe import Recipe, Step
from kanna.model import ModelFile
from kanna.ops.dequantise import plain_parts, quantised_parts
from kanna.ops.join import JoinOptions, join


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """An open file, what it is, and its digests where they are known: SHA-256, and AutoV1."""

    model: ModelFile
    identity: Identity
    sha256: str | None = None
    autov1: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Who plays which part in a recipe, by the names of its sources.

    `output` is the step that becomes the file, `lead` the leftmost source of it.
    `models` are all that are merged, `lead` first; `vae` is the one whose VAE is baked in, or None.
    """

    output: str
    lead: str
    models: tuple[str, ...]
    loras: tuple[str, ...]
    vae: str | None


def parts_of(recipe: Recipe) -> Parts:
    """Return who plays which part in a recipe that was checked."""
    steps = {step.name: step for step in recipe.steps}
    output = recipe.output.step or recipe.steps[-1].name
    used: dict[str, None] = {}
    _reach(output, steps, used)
    lead = output
    while lead in steps:
        lead = steps[lead].models[0]
    loras = dict.fromkeys(name for at in used if at in steps for name in steps[at].loras)
    models = dict.fromkeys([lead, *(name for name in used if name not in {*loras, *steps})])
    vae = recipe.output.vae
    lends = vae in recipe.sources and vae != lead
    return Parts(output=output, lead=lead, models=tuple(models), loras=tuple(loras),
                 vae=vae if lends else None)  # fmt: skip


def _reach(at: str, steps: Mapping[str, Step], seen: dict[str, None]) -> None:
    """Add `at` to what was `seen`, and all that it is made of, each once, itself first."""
    if at in seen:
        return
    seen[at] = None
    for name in steps[at].inputs if at in steps else ():
        _reach(name, steps, seen)


def as_checkpoint(opened: Opened) -> Opened:
    """Return a diffusers folder as the one checkpoint that a join makes of it; others as they are.

    Raises:
        KannaError: it cannot be joined.
    """
    if opened.model.container != "diffusers":
        return opened
    inside = [(opened.model, opened.identity)]
    plan = join(inside, JoinOptions(allow_missing=True)).plan
    tensors = {
        output.name: replace(output.inputs[0], name=output.name, shape=output.shape)
        for output in plan.outputs
    }
    model = replace(opened.model, container="safetensors", tensors=tensors, beside={},
                    metadata=plan.metadata, notes=plan.notes)  # fmt: skip
    return replace(opened, model=model, identity=identify(model))


def plain(opened: Opened, parts: list[Part]) -> tuple[Opened, list[Part]]:
    """Return the file with plain numbers in those of `parts` that are quantised, and which were.

    Raises:
        Incompatible: one of them cannot be decoded.
        MissingExtra: it is of a type of GGUF that takes the ``gguf`` package.
    """
    model, identity = opened.model, opened.identity
    places = {(part.role, part.prefix) for part in parts}
    packed = [p for p in quantised_parts(model, identity) if (p.role, p.prefix) in places]
    decoded, known = plain_parts(model, identity, packed)
    changed = [part for part in packed if any(decoded.get(n) is not model[n] for n in part.names)]
    return replace(opened, model=decoded, identity=known), changed
