"""Where a tensor stands in its model: in which part, which block, and among which components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kanna.families.blocks import blocks_of
from kanna.ops.diff_sides import Side
from kanna.ops.error_report import block_of
from kanna.ops.parts import MODEL, part_word

# Groups of components by what stands in a name, between dots; the first that fits. Sources: the
# module names of CompVis/stable-diffusion, diffusers, black-forest-labs/flux, Stability-AI/sd3-ref.
GROUPS: Final = (
    ("mod", ("modulation", "adaLN_modulation", "img_mod", "txt_mod", "adaln_single", "norm1.linear",
             "norm1_context")),
    ("norm", ("out.0", "in_layers.0", "out_layers.0", "norm", "norm1", "norm2", "norm3",
              "layer_norm1", "layer_norm2", "final_layer_norm", "ln_1", "ln_2", "ln_final",
              "layer_norm", "norm_out", "group_norm", "conv_norm_out", "norm_q", "norm_k",
              "query_norm", "key_norm", "norm_added_q", "norm_added_k", "ln_q", "ln_k")),
    ("attn2", ("attn2", "cross_attn", "cross_attention", "EncDecAttention")),
    ("txt attn", ("txt_attn", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out",
                  "context_block.attn")),
    ("attn1", ("attn1", "self_attn", "self_attention", "img_attn", "attn", "attention", "attn_1",
               "SelfAttention", "x_block.attn")),
    ("txt ff", ("txt_mlp", "ff_context", "context_block.mlp")),
    ("ff", ("ff", "mlp", "img_mlp", "feed_forward", "DenseReluDense", "fc1", "fc2")),
    ("emb", ("emb_layers", "time_embed", "time_embedding", "time_emb_proj", "label_emb",
             "add_embedding", "token_embedding", "position_embedding", "embeddings", "time_in",
             "vector_in", "guidance_in", "t_embedder", "y_embedder", "x_embedder",
             "context_embedder", "shared", "positional_embedding")),
    ("conv", ("input_blocks.0.0", "out.2", "in_layers", "out_layers", "skip_connection", "conv",
              "conv1", "conv2", "conv_in", "conv_out", "op", "conv_shortcut", "nin_shortcut",
              "downsamplers", "upsamplers", "downsample", "upsample", "quant_conv",
              "post_quant_conv", "resnets")),
    ("proj", ("proj_in", "proj_out", "linear1", "linear2", "img_in", "txt_in", "final_layer",
              "text_projection", "proj_mlp")),
)  # fmt: skip
OTHER: Final = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of a tensor: its part's role and word, its block, its group of components.

    Roles are those of `kanna.ops.diff_sides.Side`; `word` tells text encoders apart. `block` is
    that of block weights in the diffusion model, and by numbers in other parts; `slot` is the block
    whose weight the tensor has, which for a whole text encoder is one.
    """

    role: str
    word: str
    block: str
    group: str
    slot: str

    @property
    def part(self) -> tuple[str, str]:
        """What names the part in its file."""
        return self.role, self.word


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The place of every tensor by its name; all blocks, and those of the usual list of weights."""

    of: Mapping[str, Place]
    blocks: tuple[str, ...]
    listed: tuple[str, ...]


def places_of(side: Side) -> Places:
    """Return the place of every tensor of a file."""
    blocks = blocks_of(side.model, side.identity)
    inside = {name: part for part in side.identity.parts for name in part.names}
    found = {}
    for name, role in side.roles.items():
        part, place = inside.get(name), blocks.place(name)
        if part is None or place is None or part.role != role:
            found[name] = _outside(name, role, place.block if place else "", unknown=not inside)
            continue
        found[name] = Place(
            role=role, word=part_word(part), group=group_of(place.path), slot=place.block,
            block=place.block if role == MODEL else block_of(name[len(part.prefix) :]),
        )  # fmt: skip
    return Places(of=found, blocks=blocks.names, listed=next(iter(blocks.lists.values()), ()))


def _outside(name: str, role: str, slot: str, *, unknown: bool) -> Place:
    """Return the place of what is in no part; in an unknown file that is all there is."""
    block, group = (block_of(name), group_of(name)) if unknown else (role, OTHER)
    return Place(role=role, word=role, block=block, group=group, slot=slot)


def group_of(name: str) -> str:
    """Return the group of components that a tensor belongs to, by its name."""
    dotted = f".{name}."
    fitting = (group for group, words in GROUPS if any(f".{word}." in dotted for word in words))
    return next(fitting, OTHER)
