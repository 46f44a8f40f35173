"""Every text encoder, VAE and image encoder by itself.

``data/parts.json.gz`` holds the names and shapes of models that diffusers 0.42 and transformers 5.23
build from published configurations, without weights, and what each is.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kanna.families.keys import expand_lines
from kanna.identify import identify
from model_headers import headers, known, model_of, shapes_of

DATA = Path(__file__).parent / "data" / "parts.json.gz"
Shapes = dict[str, tuple[int, ...]]


@cache
def parts() -> Mapping[str, dict[str, Any]]:
    with gzip.open(DATA) as stream:
        raw: dict[str, dict[str, Any]] = json.load(stream)
    return raw


def shapes(name: str, prefix: str = "") -> Shapes:
    lines: Any = expand_lines(parts()[name]["tensors"])
    return {prefix + key: tuple(shape) for key, shape in lines}


@pytest.mark.parametrize("name", parts())
@pytest.mark.parametrize("prefix", ["", "text_encoders.some_name.transformer."])
def test_every_part_is_what_it_is(name: str, prefix: str) -> None:
    truth, identity = parts()[name], identify(model_of(shapes(name, prefix)))
    assert identity.kind == truth["kind"]
    assert [*identity.architecture_candidates] == truth["architectures"]
    assert not truth["variants"] or [*identity.variant_candidates] == truth["variants"]
    wanted = ["unknown", "certain", "ambiguous"][min(len(truth["architectures"]), 2)]
    assert identity.certainty == wanted
    if truth["kind"] != "unknown":
        assert identity.unrecognised == ()


@pytest.mark.parametrize("name", parts())
@pytest.mark.parametrize("share", [0.9, 0.5])
def test_a_damaged_part_is_never_another_with_certainty(name: str, share: float) -> None:
    truth, whole = parts()[name], shapes(name)
    chance = random.Random(f"{name} {share}")
    identity = identify(model_of({k: s for k, s in whole.items() if chance.random() < share}))
    if identity.certainty == "certain":
        assert identity.kind == truth["kind"]
        assert {*identity.architecture_candidates} <= {*truth["architectures"]}
        assert {*identity.variant_candidates} <= {*truth["variants"]}


def gguf_t5(blocks: int, width: int, inner: int, vocabulary: int, every: range) -> Shapes:
    made: Shapes = {"token_embd.weight": (vocabulary, width), "enc.output_norm.weight": (width,)}
    for n in range(blocks):
        made |= {f"enc.blk.{n}.attn_{w}.weight": (width, width) for w in "qkvo"}
        made |= {f"enc.blk.{n}.ffn_{w}.weight": (inner, width) for w in ("gate", "up")}
    return made | {f"enc.blk.{n}.attn_rel_b.weight": (32, width // 64) for n in every}


def gguf(blocks: int, width: int, vocabulary: int, **more: tuple[int, ...]) -> Shapes:
    made: Shapes = {"token_embd.weight": (vocabulary, width), "output_norm.weight": (width,)}
    for n in range(blocks):
        made |= {f"blk.{n}.attn_{w}.weight": (width, width) for w in ("q", "k", "v", "output")}
        made |= {
            f"blk.{n}.attn_norm.weight": (width,),
            f"blk.{n}.ffn_gate.weight": (4 * width, width),
        }
        made |= {f"blk.{n}.{key.replace('__', '.')}": shape for key, shape in more.items()}
    return made


@pytest.mark.parametrize(
    ("tensors", "architecture", "variants"),
    [
        (gguf_t5(24, 4096, 10240, 32128, range(1)), "t5", ("t5xxl",)),
        (gguf_t5(24, 4096, 10240, 256384, range(24)), "t5", ("umt5-xxl",)),
        (gguf_t5(24, 2048, 5120, 250112, range(1)), "t5", ("mt5-xl",)),
        (gguf_t5(24, 2048, 5120, 32128, range(24)), "t5", ("pile-t5-xl",)),
        (gguf(26, 2304, 256000, post_ffw_norm__weight=(2304,)), "gemma", ("gemma-2-2b",)),
        (gguf(28, 3584, 152064, attn_q__bias=(3584,), attn_k__bias=(512,)), "qwen",
         ("qwen2.5-vl-7b", "qwen2.5-7b")),
        (gguf(36, 2560, 151936, attn_q_norm__weight=(128,)), "qwen", ("qwen3-4b", "qwen3-vl-4b")),
        (gguf(32, 4096, 128256), "llama", ("llama-3.1-8b",)),
        (gguf(24, 2880, 201088, attn_sinks__weight=(64,)), "gpt-oss", ("gpt-oss-20b",)),
    ],
)  # fmt: skip
def test_encoders_are_known_by_their_names_in_gguf_too(
    tensors: Shapes, architecture: str, variants: tuple[str, ...]
) -> None:
    identity = identify(model_of(tensors))
    assert (identity.kind, identity.architecture, identity.layout) == (
        "text_encoder", architecture, "gguf",
    )  # fmt: skip
    assert identity.variant_candidates == variants


def wan(*, nested: bool, channels: int = 3) -> Shapes:
    if nested:
        made: Shapes = {"decoder.conv1.weight": (1024, 48, 3, 3, 3)}
        for n in range(4):
            for m in range(3):
                made[f"decoder.upsamples.{n}.upsamples.{m}.residual.2.weight"] = (512, 512, 3, 3, 3)
        return made
    made = {
        "decoder.conv1.weight": (384, 16, 3, 3, 3),
        "encoder.conv1.weight": (96, channels, 3, 3, 3),
    }
    for n in range(15):
        made[f"decoder.upsamples.{n}.residual.2.weight"] = (384, 384, 3, 3, 3)
        made[f"decoder.upsamples.{n}.residual.6.weight"] = (384, 384, 3, 3, 3)
    return made | {
        f"decoder.middle.{n}.residual.{m}.gamma": (384, 1, 1, 1) for n in (0, 2) for m in (0, 3)
    }


def taehv(channels: int) -> Shapes:
    made: Shapes = {"decoder.1.weight": (256, channels, 3, 3), "decoder.22.bias": (3,)}
    blocks = (3, 4, 5, 9, 10, 11, 15, 16, 17)
    return made | {
        f"decoder.{n}.conv.{m}.weight": (64, 128, 3, 3) for n in blocks for m in (0, 2, 4)
    }


def flux2() -> Shapes:
    ldm = shapes_of("vae-flux-ae")
    ldm |= {"bn.running_mean": (128,), "bn.running_var": (128,), "bn.num_batches_tracked": ()}
    ldm |= {"quant_conv.weight": (64, 64, 1, 1), "quant_conv.bias": (64,)}
    ldm |= {"post_quant_conv.weight": (32, 32, 1, 1), "post_quant_conv.bias": (32,)}
    ldm |= {"decoder.conv_in.weight": (512, 32, 3, 3), "encoder.conv_out.weight": (64, 512, 3, 3)}
    return ldm | {"encoder.conv_out.bias": (64,)}


@pytest.mark.parametrize(
    ("tensors", "architectures", "variants"),
    [
        (wan(nested=False), ("wan", "qwen-image"), None),
        (wan(nested=False, channels=4), ("qwen-image",), ("layered",)),
        (wan(nested=True), ("wan",), ("2.2-vae",)),
        (taehv(48), ("wan",), ("taehv",)),
        (taehv(12), ("mochi",), ("taehv",)),
        (flux2(), ("flux2",), None),
        ({f"blocks.{n}.running_mean": (512,) for n in (2, 5, 8, 11, 14)}, ("stable-cascade",), ("previewer",)),
        ({f"vae.decoder.up_blocks.{n}.res_blocks.{m}.conv1.conv.weight": (128, 128, 3, 3, 3)
          for n in (0, 2, 4, 6) for m in (0, 1)}, ("ltxv", "ltx2"), ("0.9", "2")),
    ],
)  # fmt: skip
def test_vaes_of_other_layouts_are_known(
    tensors: Shapes, architectures: tuple[str, ...], variants: tuple[str, ...] | None
) -> None:
    identity = identify(model_of(tensors))
    assert identity.kind == "vae"
    assert identity.architecture_candidates == architectures
    assert variants is None or identity.variant_candidates == variants


def test_flux2s_vae_is_complete_in_the_makers_layout() -> None:
    assert identify(model_of(flux2())).parts[0].complete


@pytest.mark.parametrize("old", ["t5xxl", "umt5", "pile"])
def test_an_encoder_that_kept_only_the_copy_of_its_vocabulary_is_complete(old: str) -> None:
    tensors = shapes(old)
    del tensors["shared.weight"]
    identity = identify(model_of(tensors))
    assert identity.parts[0].complete
    assert [*identity.variant_candidates] == parts()[old]["variants"]


def test_a_vision_tower_is_a_part_beside_the_language_model() -> None:
    identity = identify(model_of(shapes("gemma3-4b")))
    assert [part.architecture for part in identity.parts] == ["siglip", "gemma"]
    assert [part.variant for part in identity.parts] == ["so400m-896", "gemma-3-4b"]


def test_the_text_half_of_openai_clip_is_no_image_encoder() -> None:
    tensors = shapes_of("te-clip-g-fp16")
    assert identify(model_of(tensors)).kind == "text_encoder"
    assert known("te-clip-l-fp16").variant == "clip-l"
    assert {h.kind for h in headers().values() if h.architecture == "clip"} == {"text_encoder"}


def test_ovis_is_known_by_what_it_calls_the_language_model_and_by_its_own_eyes() -> None:
    made = {f"llm.{name}": shape for name, shape in shapes("qwen3-1.7b").items()}
    made |= shapes("siglip2-naflex", "visual_tokenizer.vit.vision_model.")
    made |= {"vte.weight": (65536, 2048), "visual_tokenizer.head.0.weight": (65532, 4608)}
    identity = identify(model_of(made))
    assert (identity.kind, identity.variant) == ("text_encoder", "ovis2.5-2b")
    assert (identity.certainty, identity.unrecognised) == ("certain", ())
