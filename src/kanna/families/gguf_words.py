"""What the programs that read image models as GGUF call them, and what they keep out of blocks.

Sources: city96/ComfyUI-GGUF loader.py (the words that it takes), tools/convert.py (which models are
folded into rows of 256, ``fold``; which tensors stay in fp32, because no layer decodes them,
``high``), tools/lcpp.patch and lcpp_chroma.patch (which tensors llama-quantize leaves alone,
``keep``), and its pull requests 364 and 392 (``cond_type_embedding``, pad tokens);
leejet/stable-diffusion.cpp ``ModelLoader::tensor_should_be_converted`` (`KEPT_IN_CHECKPOINTS`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufWord:
    """How one word of ``general.architecture`` is written.

    `architectures` are kanna's words for the models that it stands for. `keep` and `high` are parts
    of names, or a whole name after ``=``. `original` models are only read under the names of their
    makers, not under those of diffusers.
    """

    word: str
    architectures: tuple[str, ...]
    keep: tuple[str, ...]
    high: tuple[str, ...] = ()
    fold: bool = False
    original: bool = False


_FLUX: Final = ("txt_in.", "img_in.", "time_in.", "vector_in.", "guidance_in.", "final_layer.")
_UNET: Final = (
    "class_embedding.", "time_embedding.", "add_embedding.", "time_embed.", "label_emb.",
    "conv_in.", "conv_out.", "=input_blocks.0.0.weight", "=out.2.weight",
)  # fmt: skip

_ROWS: Final = (
    GgufWord(word="sd1", architectures=("sd1", "sd2"), keep=_UNET, fold=True),
    GgufWord(word="sdxl", architectures=("sdxl", "sdxl-refiner"), keep=_UNET, fold=True),
    GgufWord(
        word="sd3", architectures=("sd3",), original=True,
        keep=(
            "final_layer.", "time_text_embed.", "context_embedder.", "t_embedder.", "y_embedder.",
            "x_embedder.", "=proj_out.weight", "=pos_embed",
        ),
    ),
    GgufWord(
        word="flux", architectures=("flux", "flux2", "chroma", "ovis-image"), original=True,
        keep=(*_FLUX, "distilled_guidance_layer."),
    ),
    GgufWord(
        word="aura", architectures=("auraflow",), original=True,
        keep=(
            "t_embedder.", "init_x_linear.", "=modF.1.weight", "=cond_seq_linear.weight",
            "=final_linear.weight", "=positional_encoding", "=register_tokens",
        ),
    ),
    GgufWord(
        word="hidream", architectures=("hidream",),
        keep=("p_embedder.", "t_embedder.", "x_embedder.", "final_layer.", "caption_projection."),
        high=(".ff_i.gate.weight", "img_emb.emb_pos"),
    ),
    GgufWord(
        word="cosmos", architectures=("cosmos-predict2", "anima"),
        keep=("p_embedder.", "t_embedder.", "t_embedding_norm.", "x_embedder.", "final_layer."),
        high=("pos_embedder",),
    ),
    GgufWord(
        word="hyvid", architectures=("hunyuan-video", "hunyuan-image"),
        keep=(*_FLUX, "cond_type_embedding."), original=True,
    ),
    GgufWord(
        word="wan", architectures=("wan",), original=True,
        keep=(
            "patch_embedding.", "text_embedding.", "time_projection.", "time_embedding.",
            "img_emb.", "head.",
        ),
        high=(".modulation",),
    ),
    GgufWord(
        word="ltxv", architectures=("ltxv",),
        keep=("adaln_single.", "caption_projection.", "patchify_proj.", "proj_out."),
        high=("scale_shift_table",),
    ),
    GgufWord(
        word="lumina2", architectures=("lumina2", "z-image"), original=True,
        keep=(
            "t_embedder.", "x_embedder.", "final_layer.", "cap_embedder.", "context_refiner.",
            "noise_refiner.",
        ),
        high=("x_pad_token", "cap_pad_token"),
    ),
    # no list of this one is published: what stands before and after the blocks, as for the others
    GgufWord(
        word="qwen_image", architectures=("qwen-image",),
        keep=(
            "img_in.", "txt_in.", "time_text_embed.", "=norm_out.linear.weight", "=proj_out.weight",
        ),
    ),
)  # fmt: skip
GGUF_WORDS: Final = {name: row for row in _ROWS for name in row.architectures}

# In a checkpoint with all parts, as stable-diffusion.cpp reads it: parts of full names.
KEPT_IN_CHECKPOINTS: Final = (
    "img_in.", "txt_in.", "time_in.", "vector_in.", "guidance_in.", "final_layer.", "x_embedder.",
    "t_embedder.", "y_embedder.", "pos_embed", "context_embedder.", "time_embed.", "label_emb.",
    "embedding", "scale_shift_table",
)  # fmt: skip


def named(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether `name` has one of the parts in it, or is what stands after a ``=``."""
    return any(
        name == pattern[1:] if pattern.startswith("=") else pattern in name for pattern in patterns
    )
