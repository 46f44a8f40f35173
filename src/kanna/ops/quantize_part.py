"""One part of a model with pieces in the place of the weights that bear fewer bits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from kanna.dtypes import BF16, FP16, FP32, WORDS, DType
from kanna.errors import Incompatible
from kanna.families import family
from kanna.families.policy import Policy, fits, policy_of
from kanna.identity import Part
from kanna.messages import say
from kanna.model import ModelFile
from kanna.ops.draft import Draft
from kanna.plan import Constant, Copy, Output, WeightedSum
from kanna.quantizing import comfy
from kanna.quantizing.comfy import Activations
from kanna.quantizing.schemes import Scheme, Weight

_WEIGHT: Final = ".weight"
_MATRIX: Final = 2  # dimensions
_UNQUANTISED: Final = frozenset({FP16, BF16, FP32})


def quantize_part(
    draft: Draft, source: ModelFile, part: Part, scheme: Scheme, keep: Iterable[str] = ()
) -> list[Weight]:
    """Put the pieces of each weight of `part` in its place; return those weights.

    `source` is the file as it was, of which a scheme may remember something. What fits a pattern
    of `keep` stays.

    Raises:
        Incompatible: no weight of the part can be quantised so.
    """
    policy, patterns = policy_of(part.architecture), tuple(keep)
    names = [
        name
        for name in part.names
        if not kept(name, part.prefix, patterns)
        and _takes(draft, name, part.prefix, policy, scheme)
    ]
    if scheme.packed and part.layout == "diffusers":
        names += _namesakes(draft, part, set(names), patterns)
    if not names:
        role = say(f"inspect.part_{part.role}")
        raise Incompatible("quantize.no_weights", path=draft.model.path, part=role)
    weights = _weights(draft, source, part, names, scheme)
    _replace(draft, {weight.name: list(scheme.pieces(weight)) for weight in weights})
    if scheme.marker and scheme.scaled is not None:
        draft.put(_marker(part.prefix, scheme.scaled, weights), part.role)
    if not policy.known and part.role == "diffusion_model":
        draft.note("quantize.policy_unknown", warning=True, architecture=part.architecture or "?")
    return weights


def _weights(
    draft: Draft, source: ModelFile, part: Part, names: list[str], scheme: Scheme
) -> list[Weight]:
    """Return the weights called `names` with what `source` says of them."""
    half = half_of(part)
    layers = [name.removesuffix(".weight") for name in names]
    inputs: Mapping[str, Activations] = {}
    if scheme.scaled is not None:
        inputs = comfy.activations_in(source, part.prefix, layers, scheme.scaled)
    weights = []
    for name, layer in zip(names, layers, strict=True):
        tensor = draft.outputs[name].inputs[0]
        stored = tensor is source.get(name) and tensor.dtype in _UNQUANTISED
        before = tensor.dtype if stored else half
        activations = inputs.get(layer, Activations())
        weights.append(Weight(name=name, tensor=tensor, before=before, activations=activations))
    return weights


def _namesakes(
    draft: Draft, part: Part, taken: Collection[str], patterns: tuple[str, ...]
) -> list[str]:
    """Return matrices outside all blocks that are called as some in the blocks: ``proj_out``.

    diffusers takes modules that are no 4 bits by their last word alone, and so would leave out
    those in the blocks as well. Source: its quantizers/bitsandbytes/utils.py.
    """
    last = {name.removesuffix(_WEIGHT).rpartition(".")[2] for name in taken}
    return [
        name
        for name in part.names
        if name not in taken and name.endswith(_WEIGHT) and name.removesuffix(_WEIGHT) in last
        and len(draft.model[name].shape) == _MATRIX and draft.model[name].dtype.is_float
        and not kept(name, part.prefix, patterns)
    ]  # fmt: skip


def _marker(prefix: str, dtype: DType, weights: Iterable[Weight]) -> Output:
    """Return the marker that the old form of scaled fp8 has for all layers."""
    shape = comfy.marker_shape(weight.activations for weight in weights)
    return Output(prefix + comfy.MARKER, dtype, shape, Constant(bytes(dtype.nbytes(shape[0]))))


def _takes(draft: Draft, name: str, prefix: str, policy: Policy, scheme: Scheme) -> bool:
    tensor = draft.model[name]
    if name in draft.fixed or not tensor.dtype.is_float:
        return False
    if scheme.matrices and len(tensor.shape) != 2:
        return False
    rest = name.removeprefix(prefix)
    return policy.takes(rest, tensor.shape, tensor.numel, packed=scheme.packed)


def kept(name: str, prefix: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern fits the name as it is, or less its part's prefix."""
    return any(fits(name, p) or fits(name.removeprefix(prefix), p) for p in patterns)


def _replace(draft: Draft, pieces: Mapping[str, list[Output]]) -> None:
    """Put several outputs where one was, beside each other."""
    outputs: dict[str, Output] = {}
    roles = dict(draft.roles)
    for name, output in draft.outputs.items():
        for piece in pieces.get(name, [output]):
            if piece.name in outputs or (piece.name != name and piece.name in draft.outputs):
                raise Incompatible("layout.twice", path=draft.model.path, name=piece.name)
            outputs[piece.name] = piece
            roles[piece.name] = draft.roles.get(name, "")
    draft.outputs, draft.roles = outputs, roles


def cast(draft: Draft, names: Iterable[str], dtype: DType) -> int:
    """Give floating outputs another dtype, measuring what is lost; return how many changed."""
    changed = 0
    for name in names:
        output = draft.outputs.get(name)
        if output is None or name in draft.fixed or not isinstance(output.op, Copy):
            continue
        if output.dtype.is_float and output.dtype is not dtype:
            draft.outputs[name] = Output(
                name, dtype, output.shape, WeightedSum(), output.inputs, compared=True
            )
            changed += 1
    return changed


def halve_decoded(draft: Draft, source: ModelFile, part: Part, names: Iterable[str]) -> int:
    """Give what was quantised in `source` and now stays the half precision that the model takes.

    Decoded it is fp32, four times what it was. Return how many tensors these are.
    """
    decoded = [name for name in names if draft.model[name] is not source.get(name)]
    return cast(draft, decoded, half_of(part))


def half_of(part: Part) -> DType:
    """Return the 16-bit dtype that a part takes."""
    known = family(part.architecture) if part.architecture else None
    return WORDS[known.half if known else "bf16"]


def modules_that_stay(draft: Draft, part: Part, taken: Collection[str]) -> list[str]:
    """Return the modules with no weight among `taken`, the highest of each tree that has matrices.

    diffusers and transformers want to be told of them, or look for their statistics, too.
    """
    matrices = [
        name.removesuffix(".weight")
        for name in part.names
        if name.endswith(".weight") and len(draft.model[name].shape) == 2
    ]
    inside = {above for name in taken for above in _trees(name)}
    stay = (name for name in matrices if f"{name}.weight" not in taken)
    return sorted(
        {next(tree for tree in _trees(f"{n}.weight") if tree not in inside) for n in stay}
    )


def _trees(name: str) -> list[str]:
    """Return the modules that a weight is in, the outermost first."""
    words = name.split(".")[:-1]
    return [".".join(words[: end + 1]) for end in range(len(words))]


def layer_list(model: ModelFile, weights: Iterable[Weight], scheme: Scheme) -> dict[str, str]:
    """Return ComfyUI's metadata of quantised layers, with those of parts that were so before."""
    if scheme.scaled is None or scheme.marker:
        return {}
    rows = {w.layer: comfy.layer_row(scheme.scaled, w.activations) for w in weights}
    return comfy.layer_list({**comfy.layers_in(model.metadata), **rows})
