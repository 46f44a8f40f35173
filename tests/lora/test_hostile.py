"""LoRAs from strangers: whatever their shapes, dtypes and names say, a result or a sentence."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.dtypes import FP32, INT64, WORDS, DType
from kanna.errors import KannaError
from kanna.formats.ggml_types import GGML_TYPES
from kanna.lora.deltas import added
from kanna.lora.reading import read
from kanna.model import ModelFile, TensorInfo
from kanna.ops.lora_convert import respell
from kanna.ops.lora_merge import LoraMergeOptions, merge_loras
from kanna.ops.lora_resize import ResizeOptions, resize
from kanna.ops.merge_inputs import Opened
from kanna.views.given import Given, zeros
from lora_files import file_of, info, modules, random, total, values
from lora_pairs import opened

LAYER = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
STEM = f"lora_unet_{LAYER}"
UP, DOWN = random(8, 4, seed=1), random(4, 6, seed=2)
PAIR = {"lora_up.weight": (8, 4), "lora_down.weight": (4, 6)}
NAN, INT8, FP8 = float("nan"), WORDS["int8"], WORDS["fp8_e4m3"]


def file(tensors: Sequence[TensorInfo]) -> ModelFile:
    return ModelFile(path=Path("x.safetensors"), container="safetensors", size=0,
                     tensors={one.name: one for one in tensors}, files=())  # fmt: skip


def lora(shapes: Mapping[str, tuple[int, ...]], dtype: DType = FP32) -> ModelFile:
    return file([zeros(f"{STEM}.{end}", dtype, shape) for end, shape in shapes.items()])


def with_alpha(alpha: torch.Tensor) -> ModelFile:
    return file_of({f"{STEM}.lora_up.weight": UP, f"{STEM}.lora_down.weight": DOWN,
                    f"{STEM}.alpha": alpha})  # fmt: skip


def as_lora(model: ModelFile) -> Opened:
    return opened(model, "sd1", kind="lora")


def bake(model: ModelFile) -> None:
    """What it adds to a layer of 8 x 6, all of it, and a half of its rows."""
    weight = zeros("w", FP32, (8, 6))
    for module in read(model).modules:
        for terms in (added(module, weight, 1.0),
                      added(module, zeros("w", FP32, (4, 6)), 0.5, height=8, first=4)):  # fmt: skip
            assert all(values(term.tensor).numel() in {24, 48} for term in terms)


def cut_down(model: ModelFile) -> None:
    for output in resize(as_lora(model), ResizeOptions(rank=2)).plan.outputs:
        assert len(output.inputs[0].read()) == output.nbytes


def sum_up(model: ModelFile) -> None:
    merge_loras([(as_lora(model), 1.0), (as_lora(model), 0.5)], LoraMergeOptions())


def sum_at_rank(model: ModelFile) -> None:
    options = LoraMergeOptions(method="svd", rank=2)
    merge_loras([(as_lora(model), 1.0), (as_lora(model), 0.5)], options)


def spell(model: ModelFile) -> None:
    respell(model, as_lora(model).identity, "diffusers")


VERBS: Sequence[Callable[[ModelFile], None]] = (bake, cut_down, sum_up, sum_at_rank, spell)
UNREADABLE = [
    (lora({"lora_up.weight": (8, 0), "lora_down.weight": (0, 6)}), "lora.empty"),
    (lora({**PAIR, "dora_scale": (0,)}), "lora.empty"),
    (lora({"oft_blocks": (0, 0, 0)}), "lora.empty"),
    (lora(PAIR, INT8), "lora.no_numbers"),
    (lora(PAIR, WORDS["uint64"]), "lora.no_numbers"),
    (lora(PAIR, WORDS["complex64"]), "lora.no_numbers"),
    (lora(PAIR, WORDS["fp8_e4m3fnuz"]), "lora.no_numbers"),
    (lora({**PAIR, "alpha": (10**6,)}), "lora.alpha_unclear"),
    (lora({**PAIR, "alpha": (0,)}), "lora.alpha_unclear"),
    (with_alpha(torch.tensor(NAN)), "lora.alpha_unclear"),
    (with_alpha(torch.tensor(float("-inf"))), "lora.alpha_unclear"),
    (lora({**PAIR, "lora_mid.bias": (8,)}), "lora.unknown_tensors"),
    (lora({"lora_up.weight": (8, 4)}), "lora.unknown_tensors"),
    (lora({**PAIR, "diff": (8, 6)}), "lora.unknown_tensors"),
    (
        lora({"lokr_w1": (2, 2), "lokr_w2": (4, 3), "lora_up.weight": (8, 4)}),
        "lora.unknown_tensors",
    ),
]
UNFIT: Sequence[Mapping[str, tuple[int, ...]]] = [
    {"lora_up.weight": (8, 4), "lora_down.weight": (5, 6)},
    {"lora_up.weight": (8, 4, 3, 3), "lora_down.weight": (4, 6)},
    {"lora_up.weight": (8,), "lora_down.weight": (6,)},
    {"lora_up.weight": (), "lora_down.weight": ()},
    {**PAIR, "lora_mid.weight": ()},
    {**PAIR, "lora_mid.weight": (5, 4, 3, 3)},
    {"hada_w1_a": (), "hada_w1_b": (), "hada_w2_a": (), "hada_w2_b": ()},
    {"hada_w1_a": (8, 2), "hada_w1_b": (2, 6), "hada_w2_a": (8, 2), "hada_w2_b": (2, 7)},
    {"lokr_w1": (), "lokr_w2": ()},
    {"lokr_w1": (2, 2, 1, 1), "lokr_w2": (4, 3)},
    {"lokr_w1_a": (2, 1), "lokr_w1_b": (2, 2), "lokr_w2": (4, 3)},
    {"oft_blocks": ()},
    {"oft_blocks": (2, 3, 4)},
    {"oft_blocks": (2, 4, 4), "rescale": (3,)},
    {"oft_blocks": (2, 2, 3, 3)},
    {"oft_blocks": (9, 2, 4, 4)},
    {"oft_blocks": (2, 3, 4, 4, 4)},
    {"a1.weight": (6,), "a2.weight": (), "b1.weight": (), "b2.weight": ()},
]  # fmt: skip
OTHER_LAYERS: Sequence[Mapping[str, tuple[int, ...]]] = [
    {**PAIR, "dora_scale": (3, 1)},
    {**PAIR, "dora_scale": (1, 5)},
    {"weight": (), "on_input": ()},
    {"diff": ()},
    {"w_norm": (9,)},
]


@pytest.mark.parametrize(("model", "key"), UNREADABLE)
@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_read_is_refused_by_every_verb(
    verb: Callable[[ModelFile], None], model: ModelFile, key: str
) -> None:
    with pytest.raises(KannaError) as caught:
        verb(model)
    assert caught.value.key == key
    assert caught.value.exit_code == 13


@pytest.mark.parametrize("shapes", UNFIT)
@pytest.mark.parametrize("verb", VERBS)
def test_pieces_that_do_not_fit_together(
    verb: Callable[[ModelFile], None], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    with pytest.raises(KannaError) as caught:
        verb(lora(shapes))
    assert caught.value.key == "lora.pieces_unfit"


@pytest.mark.parametrize("shapes", OTHER_LAYERS)
def test_pieces_that_do_not_fit_the_layer(shapes: Mapping[str, tuple[int, ...]]) -> None:
    with pytest.raises(KannaError) as caught:
        bake(lora(shapes))
    assert caught.value.key == "lora.unfit"


@pytest.mark.parametrize("verb", [cut_down, sum_at_rank])
@pytest.mark.parametrize(
    "shapes",
    [
        {"lokr_w1": (2000, 2000), "lokr_w2": (2000, 2000)},
        {"lora_up.weight": (10**9, 1), "lora_down.weight": (1, 10**9)},
        {"hada_w1_a": (10**8, 1), "hada_w1_b": (1, 50), "hada_w2_a": (10**8, 1),
         "hada_w2_b": (1, 50)},
    ],
)  # fmt: skip
def test_layers_that_no_model_has_are_not_made(
    verb: Callable[[ModelFile], None], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Small files can speak of layers that no memory holds; nothing of them is read."""
    with pytest.raises(KannaError) as caught:
        verb(lora(shapes))
    assert caught.value.key == "lora_making.too_large"


_ENDS = [
    ("lora_up.weight", "lora_down.weight"),
    ("lora_up.weight", "lora_down.weight", "lora_mid.weight"),
    ("lora_up.weight", "lora_down.weight", "dora_scale"),
    ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"),
    ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"),
    ("lokr_w1", "lokr_w2"),
    ("lokr_w1", "lokr_w2_a", "lokr_w2_b"),
    ("lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b", "lokr_t2"),
    ("oft_blocks",), ("oft_blocks", "rescale"), ("oft_blocks", "alpha"),
    ("a1.weight", "a2.weight", "b1.weight", "b2.weight"),
    ("weight", "on_input"), ("diff",), ("set_weight",), ("diff", "diff_b"), ("w_norm", "b_norm"),
]  # fmt: skip
# Sizes that can fit the layer of 8 x 6 in some way, and others.
_SHAPES = st.lists(st.sampled_from([1, 2, 2, 3, 4, 6, 8]), max_size=4).map(tuple)


@settings(max_examples=300)
@given(st.sampled_from(_ENDS), st.lists(_SHAPES, min_size=6, max_size=6))
def test_any_shapes_have_a_result_or_a_sentence(
    ends: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> None:
    model = lora(dict(zip(ends, shapes, strict=False)))
    for verb in VERBS:
        with suppress(KannaError):
            verb(model)


@pytest.mark.parametrize("alpha", [0.0, -2.0, 1e-3, 8.0])
def test_alpha_may_be_any_number(alpha: float) -> None:
    """0 adds nothing, as in ComfyUI and A1111; less than nothing takes away."""
    (module,) = modules(with_alpha(torch.tensor(alpha)))
    made = total(added(module, zeros("w", FP32, (8, 6)), 0.5))
    assert torch.allclose(made, 0.5 * alpha / 4 * (UP @ DOWN), atol=1e-6)


def test_fp8_is_computed_as_the_numbers_that_it_holds() -> None:
    parts = {"lora_up.weight": UP, "lora_down.weight": DOWN}
    small = {end: one.to(torch.float8_e4m3fn) for end, one in parts.items()}
    model = file([
        TensorInfo(f"{STEM}.{end}", FP8, tuple(one.shape),
                   Given(one.view(torch.uint8).numpy().tobytes())) for end, one in small.items()
    ])  # fmt: skip
    (module,) = modules(model)
    expected = small["lora_up.weight"].float() @ small["lora_down.weight"].float()
    assert torch.allclose(total(added(module, zeros("w", FP32, (8, 6)), 1.0)), expected, atol=1e-6)


def test_blocks_of_gguf_are_computed_as_the_numbers_that_they_hold() -> None:
    numbers = torch.arange(-64, 64).reshape(4, 32)
    block = b"".join(struct.pack("<e", 0.5) + row.to(torch.int8).numpy().tobytes()
                     for row in numbers)  # fmt: skip
    model = file([info(f"{STEM}.lora_up.weight", UP),
                  TensorInfo(f"{STEM}.lora_down.weight", GGML_TYPES[8], (4, 32), Given(block))])  # fmt: skip
    (module,) = modules(model)
    made = total(added(module, zeros("w", FP32, (8, 32)), 1.0))
    assert torch.allclose(made, UP @ (0.5 * numbers), atol=1e-4)


def test_a_layer_that_is_named_twice_gets_both() -> None:
    dotted = "diffusion_model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    other = random(8, 3, seed=7), random(3, 6, seed=8)
    model = file_of({
        f"{STEM}.lora_up.weight": UP, f"{STEM}.lora_down.weight": DOWN,
        f"{dotted}.lora_up.weight": other[0], f"{dotted}.lora_down.weight": other[1],
    })  # fmt: skip
    expected = UP @ DOWN + other[0] @ other[1]
    weight = zeros("w", FP32, (8, 6))
    baked = sum(total(added(module, weight, 1.0)) for module in modules(model))
    assert torch.allclose(torch.as_tensor(baked), expected, atol=1e-5)
    done = merge_loras([(as_lora(model), 1.0)], LoraMergeOptions())
    made = {output.name: values(output.inputs[0]) for output in done.plan.outputs}
    (up,) = (one for name, one in made.items() if name.endswith("up.weight"))
    (down,) = (one for name, one in made.items() if name.endswith("down.weight"))
    assert torch.allclose(up @ down, expected, atol=1e-5)
    with pytest.raises(KannaError) as caught:
        respell(model, as_lora(model).identity, "diffusers")
    assert caught.value.key == "lora.twice"


def test_names_are_escaped_where_they_are_told() -> None:
    with pytest.raises(KannaError) as caught:
        read(file_of({f"{STEM}.lora_up.weight": UP, f"{STEM}.lora_down.weight": DOWN,
                      "\x1b]0;owned\x07\u202e": UP}))  # fmt: skip
    assert not {"\x1b", "\x07", "\u202e"} & set(caught.value.message)


def test_numbers_that_are_none_are_told() -> None:
    broken = UP.clone()
    broken[3, 2] = NAN
    model = file_of({f"{STEM}.lora_up.weight": broken, f"{STEM}.lora_down.weight": DOWN})
    for verb in (cut_down, sum_up, sum_at_rank):
        with pytest.raises(KannaError) as caught:
            verb(model)
        assert caught.value.key == "lora_making.not_finite"
        assert caught.value.values["count"] == 1


def test_a_number_where_a_switch_should_be() -> None:
    """IA3's switch may be of any dtype, and of any size: the first number counts."""
    for dtype in (FP32, INT64, WORDS["bool"]):
        parts = [zeros(f"{STEM}.weight", FP32, (8,)), zeros(f"{STEM}.on_input", dtype, ())]
        bake(file(parts))
