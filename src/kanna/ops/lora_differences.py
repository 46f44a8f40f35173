"""The differences of two models, layer by layer, under the names that a dialect of LoRAs has.

What a LoRA can carry are linear layers and convolutions; what is left of the parts, biases, norms
and embeddings, is listed beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from kanna.errors import Incompatible
from kanna.families.blocks import blocks_of
from kanna.families.key_maps import layouts_of, table_of
from kanna.families.old_names import standard_layout, standard_names
from kanna.identity import Identity, Part
from kanna.lora.dialects import Dialect
from kanna.lora.extracting import Layer
from kanna.lora.modules import DIFFUSION
from kanna.lora.places import ENCODER, word_of
from kanna.lora.targets import encoders_of, needs_of
from kanna.model import ModelFile, TensorInfo
from kanna.ops.aligning import Aligned, aligned, pairs
from kanna.ops.merge_inputs import Opened, as_checkpoint, plain
from kanna.ops.relayout import relayout
from kanna.views import renamed
from kanna.views.computed import summed

FULL: Final = (".diff", ".diff_b")  # how names of whole differences end
_WEIGHT: Final = ".weight"
# Matrices that are looked up, not multiplied with; and the projection behind a text encoder, which
# programs keep in three different places. Sources: transformers modeling_clip.py, modeling_t5.py;
# Stability-AI/generative-models openaimodel.py (label_emb of the upscaler).
_NO_LAYERS: Final = (
    "*embeddings.*", "*embed_tokens.weight", "*token_embedding.weight", "shared.weight",
    "token_embd.weight", "*relative_attention_bias.weight", "*attn_rel_b.weight",
    "label_emb.weight", "class_embedding.weight", "text_projection.weight",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PartDifferences:
    """One part: its layers by the names that the dialect has, and the tensors beside them.

    `word` is ``diffusion_model`` or the kind of a text encoder, `start` what the dialect puts
    before the names of layers. `blocks` has the block of each layer, by its name, and `order` all
    blocks; `rest` maps the names that full differences have in the dialect, where they have one, to
    what they are.
    """

    word: str
    start: str
    blocks: Mapping[str, str]
    order: tuple[str, ...]
    layers: tuple[Layer, ...]
    rest: Mapping[str, TensorInfo]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Differences:
    """All parts, and what could not be compared: other channels, no place in the other model."""

    parts: tuple[PartDifferences, ...]
    uneven: tuple[str, ...]
    strangers: tuple[str, ...]
    nameless: tuple[str, ...]


def differences(
    tuned: Opened, base: Opened, dialect: Dialect, *, text_encoders: bool = True
) -> Differences:
    """Return what `tuned` has more than `base`, as views; nothing is read.

    Raises:
        Incompatible: they are no two models of one kind, or the dialect has no names for them.
        MissingExtra: a part is quantised in a way that takes a package.
    """
    roles = {DIFFUSION, ENCODER} if text_encoders else {DIFFUSION}
    one, other = (_plain(as_checkpoint(opened), roles) for opened in (tuned, base))
    _check(one, other)
    met = [pair.lead for pair in pairs(one.identity, other.identity) if pair.lead.role in roles]
    if not met:
        raise Incompatible("lora_making.no_common_part", path=tuned.model.path,
                           other=base.model.path)  # fmt: skip
    found = aligned((one.model, one.identity), (other.model, other.identity))
    views, uneven, strangers = _views(met, one.model, found)
    made, nameless = [], []
    if dialect.one_part:
        nameless = [word_of(part) for part in met[1:]]
        met = met[:1]
    for part in met:
        own = {name: views[name] for name in part.names if name in views}
        spelled = _spelled(part, own, one.identity, dialect)
        if spelled is None:
            nameless.append(word_of(part))
        elif spelled.layers or spelled.rest:
            made.append(spelled)
    if not made:
        raise Incompatible("lora_making.no_names", path=tuned.model.path, dialect=dialect.name)
    return Differences(parts=tuple(made), uneven=uneven, strangers=strangers,
                       nameless=tuple(nameless))  # fmt: skip


def _plain(opened: Opened, roles: set[str]) -> Opened:
    """Return the file with plain numbers in the parts that are compared."""
    parts = [part for part in opened.identity.parts if part.role in roles]
    return plain(opened, parts)[0]


def _check(tuned: Opened, base: Opened) -> None:
    for opened in (tuned, base):
        if not any(part.role in {DIFFUSION, ENCODER} for part in opened.identity.parts):
            raise Incompatible("lora_making.no_model", path=opened.model.path,
                               kind=opened.identity.kind)  # fmt: skip
    ours, theirs = tuned.identity.architecture, base.identity.architecture
    if ours and theirs and ours != theirs:
        raise Incompatible("lora_making.architectures", path=tuned.model.path, first=ours,
                           other=base.model.path, second=theirs)  # fmt: skip


def _views(
    parts: list[Part], tuned: ModelFile, base: Aligned
) -> tuple[dict[str, TensorInfo], tuple[str, ...], tuple[str, ...]]:
    """Return the differences of these parts by name, those of other channels, those of one model.

    Raises:
        Incompatible: the shapes of a layer differ otherwise.
    """
    views: dict[str, TensorInfo] = {}
    uneven, alone = [], [*base.strangers]
    for name in (name for part in parts for name in part.names):
        ours, theirs = tuned[name], base.tensors.get(name)
        if theirs is None:
            alone.append(name)
        elif not (ours.dtype.is_float and theirs.dtype.is_float):
            continue
        elif ours.shape == theirs.shape:
            views[name] = renamed(summed([ours, theirs], [1.0, -1.0]), name)
        elif _channels_differ(ours.shape, theirs.shape):
            uneven.append(name)
        else:
            raise Incompatible("lora_making.shapes", path=tuned.path, name=name,
                               first=_by(ours.shape), second=_by(theirs.shape))  # fmt: skip
    return views, tuple(uneven), tuple(alone)


def _channels_differ(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two convolutions are one but for the channels that they read (inpainting)."""
    return len(one) == len(other) == 4 and (one[0], one[2:]) == (other[0], other[2:])


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _spelled(
    part: Part, views: Mapping[str, TensorInfo], identity: Identity, dialect: Dialect
) -> PartDifferences | None:
    """Return the differences of one part by the names of `dialect`; None where it has none."""
    word = word_of(part)
    laid, layout = _laid_out(
        part, views, dialect.layout_for(word, identity.architecture or "", _table(part))
    )
    start = dialect.start(word, encoders_of(needs_of(identity)), _table(part))
    if start is None:
        return None
    layers = {name.removesuffix(_WEIGHT): one for name, one in laid.items() if _is_layer(name, one)}
    blocks, order = _blocks(part, layers, layout) if word == DIFFUSION else ({}, (word,))
    return PartDifferences(
        word=word, start=start, blocks=blocks, order=order,
        layers=tuple(Layer(name=name, difference=one) for name, one in layers.items()),
        rest={start + _full(name, dialect): one for name, one in laid.items()
              if name.removesuffix(_WEIGHT) not in layers},
    )  # fmt: skip


def _table(part: Part) -> str | None:
    return table_of(replace(part, layout=standard_layout(part.layout)))


def _laid_out(
    part: Part, views: Mapping[str, TensorInfo], wanted: str | None
) -> tuple[Mapping[str, TensorInfo], str | None]:
    """Return the differences by their names in the layout that is `wanted`, and that layout."""
    relative = {name: name[len(part.prefix) :] for name in views}
    standard = standard_names(part.layout, relative.values())
    given = {name: renamed(views[full], name) for full, name in
             ((full, standard.get(name, name)) for full, name in relative.items())}  # fmt: skip
    table, layout = _table(part), standard_layout(part.layout)
    if not (table and layout and wanted) or wanted == layout or wanted not in layouts_of(table):
        return given, layout
    return relayout(given, table, source=layout, target=wanted).tensors, wanted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Alone:
    """A diffusion model as what blocks are told of."""

    parts: tuple[Part, ...]


def _blocks(
    part: Part, layers: Mapping[str, TensorInfo], layout: str | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the block of each layer, by the layer's name, and all blocks in order."""
    names = tuple(name + _WEIGHT for name in layers)
    alone = _Alone(parts=(replace(part, prefix="", names=names, layout=layout),))
    found = blocks_of(names, alone)
    return {name: found.places[name + _WEIGHT].block for name in layers}, found.names


def _is_layer(name: str, tensor: TensorInfo) -> bool:
    if not name.endswith(_WEIGHT) or len(tensor.shape) < 2 or min(tensor.shape) < 1:
        return False
    return not any(fnmatchcase(name, pattern) for pattern in _NO_LAYERS)


def _full(name: str, dialect: Dialect) -> str:
    """Return what a tensor's whole difference is called; what has no such name keeps its own."""
    stem, _, end = name.rpartition(".")
    word = {"weight": "diff", "bias": "diff_b"}.get(end)
    return f"{stem.replace('.', dialect.separator)}.{word}" if stem and word else name
