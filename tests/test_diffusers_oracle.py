"""Folders that kanna writes, as diffusers and transformers read them.

Configs of full-size models are held against the classes themselves, made on torch's ``meta`` device.
Tiny models with random weights go into one file in their original layout, come out as a folder, are
loaded from it, and must compute what they computed before.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch

from kanna.dtypes import TORCH
from kanna.engine import run, run_group
from kanna.families import row_called
from kanna.families.key_maps import table_of
from kanna.families.pipelines import every_pipeline, pipelines_for, scheduler_for, scheduler_names
from kanna.families.pipelines import model as model_row
from kanna.formats import open_model
from kanna.identity import Identity, Part, Prediction
from kanna.model import ModelFile, Note, TensorInfo
from kanna.ops.diffusers_component import make_component
from kanna.ops.diffusers_folder import FolderOptions, to_folder
from kanna.ops.parts import pieces
from kanna.ops.relayout import relayout
from kanna.plan import Output, Plan
from model_headers import Bytes, headers, known

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers as untyped_diffusers
    import transformers
    from huggingface_hub import split_torch_state_dict_into_shards

diffusers: Any = untyped_diffusers

State: TypeAlias = Mapping[str, torch.Tensor]

# One header for every component class and every way in which a family's tensors can differ.
HEADERS = [
    "sd15-fp16-pruned", "sd1-nai-fp32-ckpt", "sd15-inpaint-fp16", "sd21-768v-fp32",
    "sd20-depth-fp32", "sdxl-base-fp16", "sdxl-refiner-fp16", "ssd1b-fp16", "koala-1b-fp16",
    "sd3-medium-incl-clips-t5xxlfp16", "sd3-medium-comfyui-saved", "sd35-medium", "sd35-large",
    "flux1-dev-bf16-aio", "flux1-schnell-bf16", "flux1-fill-dev-bf16", "flux2-dev-bf16",
    "flux2-klein-4b-bf16", "chroma-bf16", "auraflow-v02-dit", "auraflow-v03-dit",
    "sana-1600m-orig-fp32", "sana-600m-orig-fp32", "sana15-1600m-diffusers-bf16",
    "pixart-alpha-1024-ms", "z-image-turbo-bf16", "lumina2-dit-bf16", "qwen-image-bf16",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(level)


@pytest.mark.parametrize("name", HEADERS)
def test_a_config_makes_the_model_whose_tensors_are_written(name: str) -> None:
    identity = known(name)
    prediction = identity.prediction.type if identity.prediction else "v"
    pipeline = pipelines_for(identity.architecture or "", identity.variant_candidates, prediction)[
        0
    ]
    apart = pieces(headers()[name].model(), identity)
    for component in pipeline.components:
        piece = apart.of(component.part or "")
        made = make_component(piece, component) if piece else None
        if made is None:
            continue
        shapes = {name: tensor.shape for name, tensor in made.tensors.items()}
        if made.identity is not None:
            shapes[made.identity[0]] = (made.identity[1],) * 2
        wanted = meta_shapes(made.model.class_name, made.config(TORCH["float16"]))
        assert in_file(made.model.class_name, wanted) == shapes


# Distilled UNets whose headers are known by their key lists alone.
LISTED = {
    "bk-sdm-base-unet-diffusers": "unet-sd1", "bk-sdm-small-unet-diffusers": "unet-sd1",
    "bk-sdm-tiny-unet-diffusers": "unet-sd1", "sdxs-512-unet-diffusers": "unet-sd1",
    "sdxs-512-09-unet-diffusers": "unet-sdxs-0.9", "vega-unet-diffusers": "unet-sdxl",
    "koala-700m-unet-diffusers": "unet-sdxl",
}  # fmt: skip


@pytest.mark.parametrize(("row", "name"), LISTED.items())
def test_the_config_of_a_distilled_unet_follows_from_its_shapes(row: str, name: str) -> None:
    shapes = {
        tensor: tuple(size if isinstance(size, int) else (size or (1,))[0] for size in rule or ())
        for tensor, rule in row_called(row).required.items()
    }
    config = model_row(name).configuration(shapes, "float16")
    assert meta_shapes("UNet2DConditionModel", config) == shapes


def tiny_language_model(kind: str) -> Any:
    sizes = {
        "hidden_size": 128, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 50,
        "num_attention_heads": 4, "num_key_value_heads": 2,
    }  # fmt: skip
    if kind.startswith("UMT5"):
        sizes = {"d_model": 64, "d_kv": 16, "num_heads": 4, "d_ff": 96, "num_layers": 2,
                 "vocab_size": 50}  # fmt: skip
    of_class = getattr(transformers, kind)
    head = 256 if kind.startswith("Gemma") else 32
    gated = {"feed_forward_proj": "gated-gelu"} if kind.startswith("UMT5") else {"head_dim": head}
    with torch.device("meta"):
        return of_class(of_class.config_class(**sizes, **gated))


@pytest.mark.parametrize("name", ["pile-t5", "gemma2", "qwen3", "qwen3-causal"])
def test_the_config_of_a_language_model_follows_from_its_shapes(name: str) -> None:
    row = model_row(name)
    state = tiny_language_model(row.class_name).state_dict()
    shapes = in_file(row.class_name, {key: tuple(one.shape) for key, one in state.items()})
    wanted = meta_shapes(row.class_name, row.configuration(shapes, "bfloat16"))
    assert in_file(row.class_name, wanted) == shapes


@pytest.mark.parametrize("name", ["vae-flux2", "vae-qwen-image", "vae-dc-ae"])
def test_the_config_of_a_vae_of_its_own_class_is_the_published_one(name: str) -> None:
    row = model_row(name)
    with torch.device("meta"):
        published = getattr(diffusers, row.class_name)(**PUBLISHED.get(name, {}))
    shapes = {key: tuple(one.shape) for key, one in published.state_dict().items()}
    assert meta_shapes(row.class_name, row.configuration(shapes, "float32")) == shapes


# Where the defaults of a class are not the published model: Sana's VAE, as its header has it.
PUBLISHED = {
    "vae-dc-ae": {
        "encoder_block_types": ("ResBlock",) * 3 + ("EfficientViTBlock",) * 3,
        "decoder_block_types": ("ResBlock",) * 3 + ("EfficientViTBlock",) * 3,
        "upsample_block_type": "interpolate", "downsample_block_type": "Conv",
    },
}  # fmt: skip


def meta_shapes(class_name: str, config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The tensors of a class with this config."""
    return dict(_meta_shapes(class_name, json.dumps(config)))


@cache
def _meta_shapes(class_name: str, text: str) -> dict[str, tuple[int, ...]]:
    config = json.loads(text)
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        for layer in (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Embedding):
            patch.setattr(layer, "reset_parameters", lambda _: None)  # numbers that nobody sees
        if (of_diffusers := getattr(diffusers, class_name, None)) is not None:
            unused = set(config) - {"_class_name", "_diffusers_version", *signature(of_diffusers)}
            assert not unused  # a field that the class does not know would say nothing
            model = of_diffusers.from_config(config)
        else:
            of_transformers = getattr(transformers, class_name)
            model = of_transformers(of_transformers.config_class.from_dict(config))
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def signature(of_class: Any) -> list[str]:
    import inspect

    return list(inspect.signature(of_class.__init__).parameters)


def in_file(class_name: str, shapes: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors as files have them: with the prefix that they have there, and tied ones once."""
    tied = {"encoder.embed_tokens.weight"} if "T5" in class_name else set()
    prefix = "text_model." if class_name == "CLIPTextModel" else ""
    known = {name: shape for name, shape in shapes.items() if name not in tied}
    return {prefix + name.removeprefix(prefix): shape for name, shape in known.items()}


@dataclass(frozen=True)
class Tiny:
    """A tiny model that stands in a checkpoint under `prefix` in the `layout` of a table's `row`."""

    folder: str
    prefix: str
    role: str
    row: str
    layout: str
    model: Any
    word: str | None = None
    theirs: str = "diffusers"
    leaves_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """A file of tiny models: its tensors, and what kanna would say of it at full size."""

    path: Path
    identity: Identity
    parts: tuple[Tiny, ...]


Folded: TypeAlias = tuple[str, Checkpoint, Path]


def random(model: Any, seed: int) -> Any:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.05)
    return model.eval()


def state_of(model: Any) -> State:
    """The tensors of a model as it would save them, each once."""
    if isinstance(model, transformers.PreTrainedModel):
        return dict(in_file(type(model).__name__, model.state_dict()))
    return dict(model.state_dict())


def info(name: str, tensor: torch.Tensor) -> TensorInfo:
    dtype = TORCH[str(tensor.dtype).removeprefix("torch.")]
    data = tensor.contiguous().view(torch.uint8).numpy().tobytes()
    return TensorInfo(name, dtype, tuple(tensor.shape), Bytes(data))


def part_of(tiny: Tiny, architecture: str, variant: str, names: tuple[str, ...]) -> Part:
    return Part(
        role=tiny.role, architecture={"text_encoder": "clip"}.get(tiny.role, architecture),
        prefix=tiny.prefix, names=names, parameters=0, bytes=0, dtypes={}, complete=None,
        variant=tiny.word or variant, variant_candidates=(tiny.word or variant,),
        layout=tiny.layout, component=tiny.row,
    )  # fmt: skip


def in_original(tiny: Tiny) -> dict[str, TensorInfo]:
    state = {n: one for n, one in state_of(tiny.model).items() if n not in tiny.leaves_out}
    given = {name: info(name, tensor) for name, tensor in state.items()}
    table = table_of(part_of(tiny, row_called(tiny.row).architecture or "", "", ()))
    if table is None or tiny.layout == tiny.theirs:
        return given
    return dict(relayout(given, table, source=tiny.theirs, target=tiny.layout).tensors)


def write_checkpoint(
    path: Path, architecture: str, variant: str, prediction: str, parts: tuple[Tiny, ...],
    **beside: torch.Tensor,
) -> Checkpoint:  # fmt: skip
    tensors = {name: info(name, tensor) for name, tensor in beside.items()}
    found = []
    for tiny in parts:
        own = {tiny.prefix + name: tensor for name, tensor in in_original(tiny).items()}
        found.append(part_of(tiny, architecture, variant, tuple(own)))
        tensors |= own
    outputs = [Output.of(tensor, name=name) for name, tensor in tensors.items()]
    plan = Plan(outputs=tuple(outputs), container="safetensors", inputs=())
    run(plan, path)
    identity = Identity(
        path=str(path), size=0, container="safetensors", kind="checkpoint",
        architecture=architecture, certainty="certain", variant_candidates=(variant,),
        variant=variant, parts=tuple(found), markers=tuple(n for n in beside if n in MARKERS),
        prediction=Prediction(type=prediction, certainty="certain", why=Note("x")),
    )  # fmt: skip
    return Checkpoint(path=path, identity=identity, parts=parts)


MARKERS = ("v_pred", "ztsnr")


def fold(checkpoint: Checkpoint, folder: Path, **options: Any) -> ModelFile:
    with open_model(checkpoint.path) as model:
        planned = to_folder(model, checkpoint.identity, FolderOptions(**options))
        run_group({folder / name: file for name, file in planned.files.items()})
    return model


def same(first: Any, second: Any) -> None:
    """Both models have the same weights, bit for bit, and nothing else."""
    ours, theirs = state_of(first), state_of(second)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def clip(*, width: int, projected: bool, seed: int, act: str = "gelu") -> Any:
    config = transformers.CLIPTextConfig(
        hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2, vocab_size=60,
        num_attention_heads=max(1, width // 64), max_position_embeddings=77, hidden_act=act,
        projection_dim=width, bos_token_id=0, eos_token_id=2, pad_token_id=1,
    )  # fmt: skip
    name = "CLIPTextModelWithProjection" if projected else "CLIPTextModel"
    return random(getattr(transformers, name)(config), seed)


def t5(width: int, seed: int) -> Any:
    config = transformers.T5Config(
        d_model=width, d_kv=16, num_heads=4, d_ff=96, num_layers=2, vocab_size=50,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return random(transformers.T5EncoderModel(config), seed)


def vae(latents: int, seed: int, *, quant: bool = True) -> Any:
    levels = (32, 32)
    model = diffusers.AutoencoderKL(
        block_out_channels=levels, layers_per_block=1, latent_channels=latents,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        use_quant_conv=quant, use_post_quant_conv=quant,
    )  # fmt: skip
    return random(model, seed)


def sd1(path: Path, **beside: torch.Tensor) -> Checkpoint:
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, cross_attention_dim=64, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), sample_size=64,
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip
    parts = (
        Tiny("unet", "model.diffusion_model.", "diffusion_model", "sd1-unet-ldm", "ldm",
             random(unet, 1)),
        Tiny("vae", "first_stage_model.", "vae", "vae-kl-f8-c4-ldm", "ldm", vae(4, 2)),
        Tiny("text_encoder", "cond_stage_model.transformer.", "text_encoder", "clip-l-hf", "hf",
             clip(width=64, projected=False, seed=3, act="quick_gelu"), "clip-l", "hf"),
    )  # fmt: skip
    return write_checkpoint(path, "sd1", "base", "epsilon", parts, **beside)


def sdxl(path: Path, **beside: torch.Tensor) -> Checkpoint:
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(32, 64, 128), layers_per_block=1, cross_attention_dim=192,
        attention_head_dim=[1, 1, 2], transformer_layers_per_block=[1, 1, 2], sample_size=128,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=128 + 6 * 256,
    )  # fmt: skip
    parts = (
        Tiny("unet", "model.diffusion_model.", "diffusion_model", "sdxl-unet-ldm", "ldm",
             random(unet, 1)),
        Tiny("vae", "first_stage_model.", "vae", "vae-kl-f8-c4-ldm", "ldm", vae(4, 2)),
        Tiny("text_encoder", "conditioner.embedders.0.transformer.", "text_encoder", "clip-l-hf",
             "hf", clip(width=64, projected=False, seed=3, act="quick_gelu"), "clip-l", "hf"),
        Tiny("text_encoder_2", "conditioner.embedders.1.model.", "text_encoder",
             "clip-g-openclip", "openclip", clip(width=128, projected=True, seed=4), "clip-g", "hf"),
    )  # fmt: skip
    return write_checkpoint(path, "sdxl", "base", "v" if beside else "epsilon", parts, **beside)


def sd3(path: Path) -> Checkpoint:
    transformer = diffusers.SD3Transformer2DModel(
        num_layers=2, num_attention_heads=2, attention_head_dim=64, caption_projection_dim=128,
        joint_attention_dim=80, pooled_projection_dim=192, pos_embed_max_size=12, sample_size=128,
        dual_attention_layers=(0,), qk_norm="rms_norm",
    )  # fmt: skip
    l_model = clip(width=64, projected=True, seed=3, act="quick_gelu")
    with torch.no_grad():
        l_model.text_projection.weight.copy_(torch.eye(64))
    parts = (
        Tiny("transformer", "model.diffusion_model.", "diffusion_model", "sd3-35-medium-mmdit",
             "ldm", random(transformer, 1)),
        Tiny("vae", "first_stage_model.", "vae", "vae-kl-f8-c16-ldm", "ldm",
             vae(16, 2, quant=False)),
        Tiny("text_encoder", "text_encoders.clip_l.transformer.", "text_encoder", "clip-l-hf", "hf",
             l_model, "clip-l", "hf", ("text_projection.weight",)),
        Tiny("text_encoder_2", "text_encoders.clip_g.transformer.", "text_encoder", "clip-g-hf",
             "hf", clip(width=128, projected=True, seed=4), "clip-g", "hf"),
        Tiny("text_encoder_3", "text_encoders.t5xxl.transformer.", "text_encoder", "t5xxl", "hf",
             t5(80, 5), "t5xxl", "hf"),
    )  # fmt: skip
    return write_checkpoint(path, "sd3", "3.5-medium", "flow", parts)


def flux(path: Path) -> Checkpoint:
    transformer = diffusers.FluxTransformer2DModel(
        num_layers=1, num_single_layers=2, num_attention_heads=1, attention_head_dim=128,
        joint_attention_dim=80, pooled_projection_dim=64, guidance_embeds=True,
    )  # fmt: skip
    parts = (
        Tiny("transformer", "model.diffusion_model.", "diffusion_model", "flux-bfl", "bfl",
             random(transformer, 1)),
        Tiny("vae", "vae.", "vae", "vae-kl-f8-c16-ldm", "ldm", vae(16, 2, quant=False)),
        Tiny("text_encoder", "text_encoders.clip_l.transformer.", "text_encoder", "clip-l-hf", "hf",
             clip(width=64, projected=False, seed=3, act="quick_gelu"), "clip-l", "hf"),
        Tiny("text_encoder_2", "text_encoders.t5xxl.transformer.", "text_encoder", "t5xxl", "hf",
             t5(80, 5), "t5xxl", "hf"),
    )  # fmt: skip
    return write_checkpoint(path, "flux", "dev", "flow", parts)


def auraflow(path: Path) -> Checkpoint:
    transformer = diffusers.AuraFlowTransformer2DModel(
        num_mmdit_layers=1, num_single_dit_layers=1, attention_head_dim=256, num_attention_heads=1,
        joint_attention_dim=48, caption_projection_dim=256, pos_embed_max_size=144,
    )  # fmt: skip
    # bare, as it is published: diffusers' own converter counts the blocks by such names only
    part = Tiny("transformer", "", "diffusion_model", "auraflow-mmdit", "ldm",
                random(transformer, 1))  # fmt: skip
    return write_checkpoint(path, "auraflow", "0.3", "flow", (part,))


def sana(path: Path) -> Checkpoint:
    transformer = diffusers.SanaTransformer2DModel(
        num_attention_heads=10, num_layers=2, cross_attention_head_dim=16, cross_attention_dim=320,
        caption_channels=48,
    )  # fmt: skip
    part = Tiny("transformer", "", "diffusion_model", "sana-1600m", "ldm", random(transformer, 1))
    # diffusers computes both, and its converter wants them there
    beside = {
        "pos_embed": torch.zeros(1, 1024, 320),
        "y_embedder.y_embedding": torch.zeros(300, 48),
    }
    return write_checkpoint(path, "sana", "1600m", "flow", (part,), **beside)


MAKERS = {"sd1": sd1, "sdxl": sdxl, "sd3": sd3, "flux": flux}
PIPELINES = {
    "sd1": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline",
    "sd3": "StableDiffusion3Pipeline", "flux": "FluxPipeline",
}  # fmt: skip


def load(folder: Path, name: str) -> Any:
    of_class = getattr(diffusers, PIPELINES[name])
    index = json.loads((folder / "model_index.json").read_text())
    without = {part: None for part in index if part.startswith("tokenizer")}
    return of_class.from_pretrained(folder, local_files_only=True, **without)


@pytest.fixture(scope="module", params=MAKERS)
def folded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Folded:
    """Tiny models of a family as one file, and the folder that was made of it."""
    path = tmp_path_factory.mktemp(request.param)
    checkpoint = MAKERS[request.param](path / "model.safetensors")
    fold(checkpoint, path / "out")
    return request.param, checkpoint, path / "out"


def test_diffusers_loads_the_folder_and_computes_the_same(folded: Folded) -> None:
    name, checkpoint, folder = folded
    pipeline = load(folder, name)
    for tiny in checkpoint.parts:
        loaded = getattr(pipeline, tiny.folder)
        same(loaded, tiny.model)
        for ours, theirs in zip(results(loaded), results(tiny.model), strict=True):
            assert torch.equal(ours, theirs)


@torch.no_grad()
def results(model: Any) -> list[torch.Tensor]:
    """What a model computes for some input."""
    torch.manual_seed(7)
    if isinstance(model, transformers.PreTrainedModel):
        return [model(torch.arange(3, 12).reshape(1, 9))[0]]
    if isinstance(model, diffusers.AutoencoderKL):
        image = torch.randn(1, 3, 16, 16)
        return [model.encode(image).latent_dist.mean, model(image).sample]
    return [model(**inputs(model), return_dict=False)[0]]


def inputs(model: Any) -> dict[str, Any]:
    """Something of the right shapes for a diffusion model."""
    config = model.config
    if isinstance(model, diffusers.UNet2DConditionModel):
        text = torch.randn(1, 9, config.cross_attention_dim)
        more = {"text_embeds": torch.randn(1, 128), "time_ids": torch.ones(1, 6)}
        return {"sample": torch.randn(1, 4, 16, 16), "timestep": 5, "encoder_hidden_states": text,
                "added_cond_kwargs": more}  # fmt: skip
    if isinstance(model, diffusers.SanaTransformer2DModel):
        text = torch.randn(1, 9, config.caption_channels)
        return {"hidden_states": torch.randn(1, 32, 8, 8), "encoder_hidden_states": text,
                "timestep": torch.tensor([5])}  # fmt: skip
    text = torch.randn(1, 9, config.joint_attention_dim)
    if isinstance(model, diffusers.AuraFlowTransformer2DModel):
        return {"hidden_states": torch.randn(1, 4, 8, 8), "encoder_hidden_states": text,
                "timestep": torch.tensor([0.5])}  # fmt: skip
    pooled = torch.randn(1, config.pooled_projection_dim)
    both = {"encoder_hidden_states": text, "pooled_projections": pooled,
            "timestep": torch.tensor([0.5])}  # fmt: skip
    if isinstance(model, diffusers.SD3Transformer2DModel):
        return {"hidden_states": torch.randn(1, 16, 8, 8), **both}
    return {"hidden_states": torch.randn(1, 16, 64), "img_ids": torch.zeros(16, 3),
            "txt_ids": torch.zeros(9, 3), "guidance": torch.tensor([3.5]), **both}  # fmt: skip


@pytest.mark.parametrize("make", [auraflow, sana])
def test_diffusers_loads_a_transformer_alone(
    tmp_path: Path, make: Callable[[Path], Checkpoint]
) -> None:
    checkpoint = make(tmp_path / "model.safetensors")
    fold(checkpoint, tmp_path / "out", allow_missing=True)
    model = checkpoint.parts[0].model
    folder = {"subfolder": "transformer", "local_files_only": True}
    loaded = type(model).from_pretrained(tmp_path / "out", **folder)
    single = type(model).from_single_file(
        str(checkpoint.path), config=str(tmp_path / "out"), **folder
    )
    for theirs in (loaded, single):
        same(theirs, model)
        assert torch.equal(results(theirs)[0], results(model)[0])


# diffusers' own converter of FLUX takes no width but 3072: tests/test_names_dits.py holds it.
SINGLE = {
    "sd1": ["unet", "vae"], "sdxl": ["unet", "vae"], "sd3": ["transformer", "vae"], "flux": ["vae"],
}  # fmt: skip


def test_diffusers_turns_the_single_file_into_the_same_models(folded: Folded) -> None:
    name, checkpoint, folder = folded
    models = {tiny.folder: tiny.model for tiny in checkpoint.parts}
    for part in SINGLE[name]:
        theirs = type(models[part]).from_single_file(
            str(checkpoint.path), config=str(folder), subfolder=part, local_files_only=True
        )
        same(theirs, models[part])


def test_leftovers_and_markers_stay_and_markers_choose_the_scheduler(tmp_path: Path) -> None:
    markers = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0), "my.extra": torch.ones(3)}
    checkpoint = sdxl(tmp_path / "model.safetensors", **markers)
    fold(checkpoint, tmp_path / "out")
    scheduler = load(tmp_path / "out", "sdxl").scheduler
    assert isinstance(scheduler, diffusers.EulerDiscreteScheduler)
    assert scheduler.config.prediction_type == "v_prediction"
    assert scheduler.config.rescale_betas_zero_snr
    with open_model(tmp_path / "out" / "leftovers.safetensors") as left:
        assert list(left) == ["v_pred", "ztsnr", "my.extra"]


def test_a_tokenizer_is_copied_and_a_pipeline_is_whole_with_it(tmp_path: Path) -> None:
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2, "b</w>": 3}
    source = tmp_path / "published" / "tokenizer"
    transformers.CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(source)
    (source / "code.py").write_text("raise SystemExit")
    fold(sd1(tmp_path / "m.safetensors"), tmp_path / "out", tokenizers=tmp_path / "published")
    assert not (tmp_path / "out" / "tokenizer" / "code.py").exists()
    pipeline = diffusers.DiffusionPipeline.from_pretrained(tmp_path / "out", local_files_only=True)
    assert pipeline.tokenizer("a b").input_ids == [0, 2, 3, 1]


def test_shards_are_those_of_diffusers(tmp_path: Path) -> None:
    checkpoint = sd1(tmp_path / "model.safetensors")
    fold(checkpoint, tmp_path / "out", shard_size=1_000_000)
    unet = tmp_path / "out" / "unet"
    ours = json.loads((unet / "diffusion_pytorch_model.safetensors.index.json").read_text())
    with open_model(unet) as model:
        state = {name: torch.empty(one.shape) for name, one in model.items()}
    theirs = split_torch_state_dict_into_shards(
        state, max_shard_size=1_000_000,
        filename_pattern="diffusion_pytorch_model{suffix}.safetensors",
    )  # fmt: skip
    assert ours["weight_map"] == theirs.tensor_to_filename
    assert ours["metadata"]["total_size"] == theirs.metadata["total_size"]
    assert len(set(ours["weight_map"].values())) > 2
    same(load(tmp_path / "out", "sd1").unet, checkpoint.parts[0].model)


@pytest.mark.parametrize("name", scheduler_names())
@pytest.mark.parametrize("prediction", ["epsilon", "v", "edm", "edm-v", "flow"])
def test_a_scheduler_knows_every_setting_that_is_written(name: str, prediction: str) -> None:
    scheduler = scheduler_for([name], prediction, MARKERS)
    if scheduler is None:
        return
    of_class = getattr(diffusers, scheduler.class_name)
    assert set(scheduler.config) <= {"_class_name", "_diffusers_version", *signature(of_class)}
    made = of_class.from_config(dict(scheduler.config))
    assert scheduler.config.items() >= {("_class_name", scheduler.class_name)}
    assert all(
        made.config[key] == value for key, value in scheduler.config.items() if key[0] != "_"
    )


@pytest.mark.parametrize("pipeline", list(every_pipeline()), ids=lambda one: one.name)
def test_a_pipeline_names_what_its_class_takes(pipeline: Any) -> None:
    of_class = getattr(diffusers, pipeline.class_name)
    index = pipeline.index(dict.fromkeys((one.folder for one in pipeline.components), "X"))
    taken = set(signature(of_class)) - {"self"}
    assert set(index) - {"_class_name", "_diffusers_version"} <= taken
    expected, _ = of_class._get_signature_keys(of_class)
    assert set(expected) <= set(index)
    for library, class_name in (one for one in index.values() if isinstance(one, list)):
        if class_name not in {None, "X"}:
            assert hasattr(
                {"diffusers": diffusers, "transformers": transformers}[library], class_name
            )
