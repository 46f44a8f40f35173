"""What diffusers, transformers, gguf and PyTorch make of the same models, small and random.

A model of diffusers is brought into the original layout by kanna and back by diffusers' own
conversion: names, shapes and numbers must be those it had.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
import torch

from kanna.dtypes import FP32
from kanna.model import TensorInfo
from kanna.ops.relayout import relayout
from model_headers import Bytes, shapes_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers
    import gguf
    import transformers
    from diffusers.loaders import single_file_utils

# What they have is not typed.
models: Any = diffusers
texts: Any = transformers
ggufs: Any = gguf
theirs: Any = single_file_utils
State: TypeAlias = dict[str, torch.Tensor]
UNET = "model.diffusion_model."
CONTROL = "control_model."
VAE = "first_stage_model."


def state_of(model: Any) -> State:
    """The tensors of a model, with numbers of their own also where a new model has ones."""
    torch.manual_seed(0)
    return {
        name: torch.randn(tensor.shape)
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point()
    }


def relaid(state: Mapping[str, torch.Tensor], table: str, source: str, target: str) -> State:
    """`state` in another layout, every tensor of it."""
    given = {
        name: TensorInfo(name, FP32, tuple(tensor.shape), Bytes(tensor.numpy().tobytes()))
        for name, tensor in state.items()
    }
    made = relayout(given, table, source=source, target=target)
    assert made.unmapped == ()
    return {
        name: torch.frombuffer(bytearray(tensor.read()), dtype=torch.float32).view(tensor.shape)
        for name, tensor in made.tensors.items()
    }


def assert_same(found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> None:
    assert sorted(found) == sorted(wanted)
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor), name


CROSS_DOWN, PLAIN_DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, PLAIN_UP = "CrossAttnUpBlock2D", "UpBlock2D"
UNETS: dict[str, tuple[str, dict[str, Any]]] = {
    "sd1": ("unet", {}),
    "sd2": ("unet", {"use_linear_projection": True}),
    "unclip": ("unet", {
        "use_linear_projection": True, "class_embed_type": "projection",
        "projection_class_embeddings_input_dim": 12,
    }),
    "x4-upscaler": ("unet", {
        "num_class_embeds": 10, "in_channels": 7, "use_linear_projection": True,
        "down_block_types": (PLAIN_DOWN, *[CROSS_DOWN] * 3),
        "up_block_types": (*[CROSS_UP] * 3, PLAIN_UP),
    }),
    "sdxl": ("unet-xl", {
        "block_out_channels": (8, 16, 16), "transformer_layers_per_block": (1, 2, 3),
        "use_linear_projection": True, "addition_embed_type": "text_time",
        "addition_time_embed_dim": 2, "projection_class_embeddings_input_dim": 12,
        "down_block_types": (PLAIN_DOWN, CROSS_DOWN, CROSS_DOWN),
        "up_block_types": (CROSS_UP, CROSS_UP, PLAIN_UP),
    }),
    "refiner": ("unet-xl", {
        "block_out_channels": (8, 16, 16, 16), "transformer_layers_per_block": 2,
        "use_linear_projection": True, "addition_embed_type": "text_time",
        "addition_time_embed_dim": 2, "projection_class_embeddings_input_dim": 10,
        "down_block_types": (PLAIN_DOWN, CROSS_DOWN, CROSS_DOWN, PLAIN_DOWN),
        "up_block_types": (PLAIN_UP, CROSS_UP, CROSS_UP, PLAIN_UP),
    }),
    "bk-sdm-base": ("unet", {"layers_per_block": 1}),
    "bk-sdm-tiny": ("unet", {
        "layers_per_block": 1, "mid_block_type": None, "block_out_channels": (8, 16, 16),
        "down_block_types": (CROSS_DOWN,) * 3, "up_block_types": (CROSS_UP,) * 3,
    }),
    "sdxs": ("unet", {
        "layers_per_block": 1, "mid_block_type": None, "block_out_channels": (8, 16, 16),
        "down_block_types": (PLAIN_DOWN, CROSS_DOWN, CROSS_DOWN),
        "up_block_types": (CROSS_UP, CROSS_UP, PLAIN_UP),
    }),
}  # fmt: skip


@pytest.mark.parametrize("shape", UNETS)
def test_diffusers_takes_a_unet_back_as_it_was(shape: str) -> None:
    table, settings = UNETS[shape]
    model = models.UNet2DConditionModel(**{
        "block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4, "cross_attention_dim": 6,
        "attention_head_dim": 4, "sample_size": 8, **settings,
    })  # fmt: skip
    state = state_of(model)
    ldm = relaid(state, table, "diffusers", "ldm")
    prefixed = {UNET + name: tensor for name, tensor in ldm.items()}
    assert_same(theirs.convert_ldm_unet_checkpoint(prefixed, dict(model.config)), state)
    assert_same(relaid(ldm, table, "ldm", "diffusers"), state)


def test_diffusers_takes_a_controlnet_back_as_it_was() -> None:
    model = models.ControlNetModel(
        block_out_channels=(8, 8, 16, 16), norm_num_groups=4, cross_attention_dim=6,
        attention_head_dim=4, conditioning_embedding_out_channels=(4, 8, 8, 16),
    )  # fmt: skip
    state = state_of(model)
    ldm = relaid(state, "controlnet", "diffusers", "ldm")
    prefixed = {CONTROL + name: tensor for name, tensor in ldm.items()}
    assert_same(theirs.convert_controlnet_checkpoint(prefixed, dict(model.config)), state)
    real = shapes_of("controlnet-sd1-fp16", CONTROL).keys()
    assert {name for name in real if name.startswith("input_hint")} == {
        name for name in ldm if name.startswith("input_hint")
    }


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
@pytest.mark.parametrize("quant", [True, False])
def test_diffusers_takes_a_vae_back_as_it_was(levels: int, *, quant: bool) -> None:
    model = models.AutoencoderKL(
        block_out_channels=(8, 8, 16, 16)[:levels], norm_num_groups=4, layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * levels, use_quant_conv=quant,
        up_block_types=("UpDecoderBlock2D",) * levels, use_post_quant_conv=quant,
    )  # fmt: skip
    state = state_of(model)
    ldm = relaid(state, "vae-kl", "diffusers", "ldm")
    assert ldm["encoder.mid.attn_1.q.weight"].dim() == 4
    prefixed = {VAE + name: tensor for name, tensor in ldm.items()}
    assert_same(theirs.convert_ldm_vae_checkpoint(prefixed, dict(model.config)), state)
    assert_same(relaid(ldm, "vae-kl", "ldm", "diffusers"), state)


@pytest.mark.parametrize("quiet", [True, False])
def test_diffusers_takes_a_deep_compression_autoencoder_back_as_it_was(*, quiet: bool) -> None:
    """With a convolution of its own at either end, or none, as the deeper ones have it."""
    layers = (0, 1, 2) if quiet else (2, 1, 2)
    model = models.AutoencoderDC(
        latent_channels=4, attention_head_dim=4, encoder_layers_per_block=layers,
        encoder_block_types=("ResBlock", "ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8, 16), decoder_block_out_channels=(8, 8, 16),
        encoder_qkv_multiscales=((), (), (5,)), decoder_qkv_multiscales=((), (), (5,)),
        decoder_layers_per_block=layers, downsample_block_type="Conv", upsample_block_type="interpolate",
        decoder_norm_types="rms_norm", decoder_act_fns="silu",
    )  # fmt: skip
    state = state_of(model)
    original = relaid(state, "vae-dc-ae", "diffusers", "ldm")
    assert_same(theirs.convert_autoencoder_dc_checkpoint_to_diffusers(dict(original)), state)
    assert_same(relaid(original, "vae-dc-ae", "ldm", "diffusers"), state)


TEXT: dict[str, Any] = {
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_attention_heads": 2,
    "projection_dim": 8,
}


def openclip_text(layers: int, width: int) -> State:
    """A text encoder under OpenCLIP's names, which the header of SDXL's has."""
    real = shapes_of("sdxl-base-fp16", "conditioner.embedders.1.model.")
    small = {49408: 40, 77: 9, 3 * 1280: 3 * width, 4 * 1280: 4 * width, 1280: width}
    return {
        name: torch.randn([small[size] for size in shape])
        for name, shape in real.items()
        if not name.startswith("transformer.resblocks.") or int(name.split(".")[2]) < layers
    }


def test_diffusers_makes_the_same_of_an_openclip_text_encoder() -> None:
    torch.manual_seed(1)
    given = openclip_text(layers=2, width=8)
    found = relaid(given, "clip", "openclip", "hf")
    prefix = "conditioner.embedders.1.model."
    taken = SimpleNamespace(config=SimpleNamespace(hidden_size=8))
    prefixed = {prefix + name: tensor for name, tensor in given.items()}
    wanted = theirs.convert_open_clip_checkpoint(taken, prefixed, prefix=prefix)
    wanted.pop("text_model.embeddings.position_ids", None)
    found = {name: tensor for name, tensor in found.items() if name != "logit_scale"}
    assert_same(found, wanted)
    assert_same({**relaid(found, "clip", "hf", "openclip"), "logit_scale": given["logit_scale"]}, given)  # fmt: skip


class OpenClip(torch.nn.Module):
    """CLIP's image encoder as OpenAI wrote it, of PyTorch's own layers."""

    def __init__(self, state: State, heads: int) -> None:
        super().__init__()
        self.state, self.heads = state, heads

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return torch.nn.functional.layer_norm(x, weight.shape, weight, bias)

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ self.state[f"{name}.weight"].T + self.state[f"{name}.bias"]

    def block(self, name: str, x: torch.Tensor) -> torch.Tensor:
        attention = torch.nn.MultiheadAttention(x.shape[-1], self.heads, batch_first=True)
        stem = f"{name}.attn."
        attention.load_state_dict(
            {
                key.removeprefix(stem): tensor
                for key, tensor in self.state.items()
                if key.startswith(stem)
            }
        )
        y = self.norm(f"{name}.ln_1", x)
        x = x + attention(y, y, y, need_weights=False)[0]
        y = self.linear(f"{name}.mlp.c_fc", self.norm(f"{name}.ln_2", x))
        return x + self.linear(f"{name}.mlp.c_proj", torch.nn.functional.gelu(y))

    def forward(self, image: torch.Tensor, layers: int) -> torch.Tensor:
        kernel = self.state["visual.conv1.weight"]
        x = torch.nn.functional.conv2d(image, kernel, stride=kernel.shape[-1]).flatten(2).mT
        x = torch.cat([self.state["visual.class_embedding"].expand(len(x), 1, -1), x], dim=1)
        x = self.norm("visual.ln_pre", x + self.state["visual.positional_embedding"])
        for layer in range(layers):
            x = self.block(f"visual.transformer.resblocks.{layer}", x)
        return self.norm("visual.ln_post", x[:, 0]) @ self.state["visual.proj"]


def test_an_image_encoder_sees_the_same_in_both_layouts() -> None:
    config = texts.CLIPVisionConfig(
        **TEXT, num_hidden_layers=2, image_size=8, patch_size=4, hidden_act="gelu"
    )
    model = texts.CLIPVisionModelWithProjection(config).eval()
    state = {name: tensor * 0.3 for name, tensor in state_of(model).items()}
    model.load_state_dict(state, strict=False)
    original = relaid(state, "clip-vision", "hf", "openclip")
    image = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        wanted = model(pixel_values=image).image_embeds
        found = OpenClip(original, heads=2)(image, layers=2)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert wanted.abs().max() > 0.01


def test_transformers_has_the_names_of_the_layout_hf() -> None:
    model = texts.CLIPTextModelWithProjection(
        texts.CLIPTextConfig(**TEXT, num_hidden_layers=2, vocab_size=40)
    )
    given = openclip_text(layers=2, width=8)
    given.pop("logit_scale")
    assert sorted(relaid(given, "clip", "openclip", "hf")) == sorted(state_of(model))


def test_gguf_names_a_t5_encoder_the_same() -> None:
    mapped = ggufs.get_tensor_name_map(ggufs.MODEL_ARCH.T5ENCODER, 24)
    given = {name: torch.zeros(1) for name in shapes_of("te-t5xxl-fp16")}
    given.pop("encoder.embed_tokens.weight", None)
    wanted = {f"{mapped.get_name(name.removesuffix('.weight'))}.weight": one for name, one in given.items()}  # fmt: skip
    assert_same(relaid(given, "t5", "hf", "gguf"), wanted)
