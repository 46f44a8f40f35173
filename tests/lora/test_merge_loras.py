"""Several LoRAs as one: against the sum of what each adds, in fp64."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.errors import Incompatible, UsageError
from kanna.identify.adapter import PEFT_METADATA
from kanna.ops.lora_merge import LoraMergeOptions, LorasMerged, merge_loras
from kanna.ops.merge_inputs import Opened
from kanna.tensor_math.factor_values import Making, Product
from kanna.tensor_math.lora_factors import side_by_side
from lora_files import file_of, random, values
from lora_pairs import opened

ATTENTION = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
CONV = "down_blocks_0_resnets_0_conv1"


def lora(tensors: Mapping[str, torch.Tensor], architecture: str | None = None) -> Opened:
    return opened(file_of(tensors), architecture, kind="lora")  # type: ignore[arg-type]


def pair(
    layer: str, rank: int, seed: int, *, alpha: float | None = None, kernel: int = 1,
    into: int = 6, dtype: torch.dtype = torch.float32,
) -> dict[str, torch.Tensor]:  # fmt: skip
    stem, more = f"lora_unet_{layer}", (kernel, kernel) if kernel > 1 else ()
    made = {
        f"{stem}.lora_up.weight": random(8, rank, *(1 for _ in more), seed=seed),
        f"{stem}.lora_down.weight": random(rank, into, *more, seed=seed + 1),
    }
    if alpha is not None:
        made[f"{stem}.alpha"] = torch.tensor(alpha)
    return {name: one.to(dtype) for name, one in made.items()}


def product(tensors: Mapping[str, torch.Tensor], layer: str) -> torch.Tensor:
    """What a LoRA adds to a layer, by kohya's formula, in fp64."""
    up = tensors[f"lora_unet_{layer}.lora_up.weight"].double().flatten(1)
    down = tensors[f"lora_unet_{layer}.lora_down.weight"].double().flatten(1)
    alpha = tensors.get(f"lora_unet_{layer}.alpha", torch.tensor(up.shape[1]))
    return up @ down * (float(alpha) / up.shape[1])


def merged(*loras: tuple[Opened, float], **options: object) -> LorasMerged:
    return merge_loras(loras, LoraMergeOptions(**options))  # type: ignore[arg-type]


def made_by(done: LorasMerged) -> dict[str, torch.Tensor]:
    return {output.name: values(output.inputs[0]) for output in done.plan.outputs}


def test_concat_is_the_weighted_sum() -> None:
    first = pair(ATTENTION, 2, 1, alpha=1) | pair(CONV, 3, 5, kernel=3)
    second = pair(ATTENTION, 4, 9, alpha=8) | pair("mid_block_resnets_0_conv1", 2, 13, kernel=3)
    done = merged((lora(first), 0.7), (lora(second), -1.3))
    result = made_by(done)
    expected = 0.7 * product(first, ATTENTION) - 1.3 * product(second, ATTENTION)
    assert torch.allclose(product(result, ATTENTION), expected, atol=1e-6)
    assert torch.allclose(product(result, CONV), 0.7 * product(first, CONV), atol=1e-6)
    assert result[f"lora_unet_{ATTENTION}.lora_down.weight"].shape == (6, 6)
    assert result[f"lora_unet_{CONV}.lora_down.weight"].shape == (3, 6, 3, 3)
    assert result[f"lora_unet_{ATTENTION}.alpha"] == 6
    assert done.report.shared == 1
    assert done.report.overall.error < 1e-6


def test_the_sum_that_programs_make_of_ups_and_downs_is_another() -> None:
    """Adding ups and downs apart, as kohya's merge_lora does without --concat, is no sum."""
    first, second = pair(ATTENTION, 4, 1), pair(ATTENTION, 4, 9)
    naive = {name: (0.5**0.5) * (first[name] + second[name]) for name in first}
    expected = 0.5 * (product(first, ATTENTION) + product(second, ATTENTION))
    result = made_by(merged((lora(first), 0.5), (lora(second), 0.5)))
    assert torch.allclose(product(result, ATTENTION), expected, atol=1e-6)
    assert not torch.allclose(product(naive, ATTENTION), expected, atol=0.1)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.floats(-4, 4)), min_size=1, max_size=4),
    st.integers(0, 3),
)
def test_side_by_side_is_exact_in_fp64(rows: list[tuple[int, float]], seed: int) -> None:
    products, expected = [], torch.zeros(7, 5, dtype=torch.float64)
    for at, (rank, factor) in enumerate(rows):
        up, down = random(7, rank, seed=seed + at), random(rank, 5, seed=seed + at + 50)
        data = [bytearray(one.numpy().tobytes()) for one in (up, down)]
        products.append(Product(up=data[0], down=data[1], rows=7, rank=rank, columns=5,
                                factor=factor))  # fmt: skip
        expected += factor * up.double() @ down.double()
    made = side_by_side(products, Making(dtype="float64"))
    left, right = (torch.frombuffer(bytearray(one), dtype=torch.float64)
                   for one in (made.up, made.down))  # fmt: skip
    total = left.reshape(7, -1) @ right.reshape(-1, 5)
    assert torch.allclose(total, expected, atol=1e-13, rtol=1e-12)
    assert made.rank == sum(rank for rank, _ in rows)


def test_weights_that_are_powers_of_two_lose_no_digit_in_fp16() -> None:
    first = pair(ATTENTION, 4, 1, dtype=torch.float16)
    done = merged((lora(first), -0.25))
    assert done.report.overall.missing == 0
    assert torch.equal(product(made_by(done), ATTENTION), -0.25 * product(first, ATTENTION))


def test_svd_is_the_best_of_its_rank() -> None:
    first, second = pair(ATTENTION, 3, 1), pair(ATTENTION, 3, 9)
    done = merged((lora(first), 1.0), (lora(second), -0.5), method="svd", rank=2)
    whole = product(first, ATTENTION) - 0.5 * product(second, ATTENTION)
    rest = torch.linalg.svdvals(whole)[2:]
    error = product(made_by(done), ATTENTION) - whole
    assert float(error.norm()) == pytest.approx(float(rest.norm()), rel=1e-5)
    assert done.report.overall.error == pytest.approx(float(error.norm() / whole.norm()), rel=1e-5)


def test_what_cancels_out_is_nothing() -> None:
    first = pair(ATTENTION, 3, 1)
    done = merged((lora(first), 1.0), (lora(first), -1.0), method="svd", rank=2)
    assert float(product(made_by(done), ATTENTION).abs().max()) < 1e-6


def test_a_loha_is_summed_by_svd_and_refused_by_concat() -> None:
    stem = f"lora_unet_{ATTENTION}"
    pieces = {end: random(*shape, seed=at) for at, (end, shape) in enumerate({
        "hada_w1_a": (8, 2), "hada_w1_b": (2, 6), "hada_w2_a": (8, 2), "hada_w2_b": (2, 6),
    }.items())}  # fmt: skip
    loha = {f"{stem}.{end}": one for end, one in pieces.items()}
    dense = (pieces["hada_w1_a"] @ pieces["hada_w1_b"]) * (
        pieces["hada_w2_a"] @ pieces["hada_w2_b"]
    )
    plain = pair(ATTENTION, 2, 31)
    with pytest.raises(Incompatible):
        merged((lora(loha), 1.0), (lora(plain), 1.0))
    done = merged((lora(loha), 0.5), (lora(plain), 1.0), method="svd", rank=6)
    expected = 0.5 * dense.double() + product(plain, ATTENTION)
    assert torch.allclose(product(made_by(done), ATTENTION), expected, atol=1e-5)


def test_dialects_mix() -> None:
    first = pair(ATTENTION, 2, 1, into=6)
    up, down = random(8, 3, seed=40), random(3, 6, seed=41)
    dotted = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    second = {f"{dotted}.lora_B.weight": up, f"{dotted}.lora_A.weight": down}
    done = merged((lora(first, "sd1"), 1.0), (lora(second, "sd1"), 2.0))
    expected = product(first, ATTENTION) + 2 * (up.double() @ down.double())
    result = made_by(done)
    assert set(result) == {f"lora_unet_{ATTENTION}.{end}"
                           for end in ("lora_up.weight", "lora_down.weight", "alpha")}  # fmt: skip
    assert torch.allclose(product(result, ATTENTION), expected, atol=1e-5)
    with pytest.raises(Incompatible):  # nobody knows the model
        merged((lora(first), 1.0), (lora(second), 1.0))


def test_what_cannot_be_summed_is_refused() -> None:
    plain = pair(ATTENTION, 2, 1)
    decomposed = plain | {f"lora_unet_{ATTENTION}.dora_scale": torch.ones(8, 1)}
    other = pair(ATTENTION, 2, 1, into=7)
    for wrong in (decomposed, other):
        with pytest.raises(Incompatible):
            merged((lora(plain), 1.0), (lora(wrong), 1.0))
    with pytest.raises(Incompatible):
        merged((lora(plain, "sd1"), 1.0), (lora(plain, "sdxl"), 1.0))


@pytest.mark.parametrize("options", [{"rank": 4}, {"method": "svd"}, {"dynamic": "ratio:3"}])
def test_ranks_go_with_svd_only(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        merged((lora(pair(ATTENTION, 2, 1)), 1.0), **options)


def test_of_what_loras_disagree_on_the_metadata_say_what_the_sum_is() -> None:
    said = [{"ss_base_model_version": name, "ss_network_module": name} for name in "ab"]
    loras = [opened(file_of(pair(ATTENTION, 2, 1), metadata=one), "sd1", kind="lora")
             for one in said]  # fmt: skip
    fields = merged((loras[0], 1.0), (loras[1], 0.5)).plan.metadata
    assert (fields["ss_base_model_version"], fields["ss_network_module"]) == (
        "sd_v1", "networks.lora",
    )  # fmt: skip
    assert (fields["ss_network_dim"], fields["ss_network_alpha"]) == ("4", "4")


def test_metadata_are_what_all_say_and_how_it_was_made() -> None:
    tensors = pair(ATTENTION, 2, 1)
    said = [{"ss_base_model_version": "sd_v1", "ss_network_dim": "2", "ss_output_name": name}
            for name in "ab"]  # fmt: skip
    loras = [opened(file_of(tensors, metadata=one), "sd1", kind="lora") for one in said]
    fields = merged((loras[0], 1.0), (loras[1], 0.5)).plan.metadata
    assert fields["ss_base_model_version"] == "sd_v1"
    assert (fields["ss_network_dim"], fields["ss_network_alpha"]) == ("4", "4")
    assert "ss_output_name" not in fields
    assert fields["modelspec.architecture"] == "stable-diffusion-v1/lora"
    (step,) = json.loads(fields["kanna.history"])
    assert [one["weight"] for one in step["loras"]] == [1.0, 0.5]


def test_biases_are_summed_too() -> None:
    """Those of the up factors count times alpha over rank, and have none to count with after."""
    dotted = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    settings = {PEFT_METADATA: json.dumps({"lora_alpha": 1, "r": 2})}
    made: list[Opened] = []
    tensors: list[dict[str, torch.Tensor]] = []
    for seed in (1, 30):
        tensors.append({
            f"{dotted}.lora_B.weight": random(8, 2, seed=seed), f"{dotted}.lora_B.bias": random(8, seed=seed + 1),
            f"{dotted}.lora_A.weight": random(2, 6, seed=seed + 2),
        })  # fmt: skip
        made.append(opened(file_of(tensors[-1], metadata=settings), "sd1", kind="lora"))
    result = made_by(merged((made[0], 0.5), (made[1], -2.0)))
    first, second = (one[f"{dotted}.lora_B.bias"] for one in tensors)
    assert torch.allclose(result[f"{dotted}.lora_B.bias"], 0.25 * first - 1.0 * second, atol=1e-6)
    alone = made_by(merged((made[0], 1.0), method="svd", rank=2))
    assert torch.allclose(alone[f"{dotted}.lora_B.bias"], 0.5 * first, atol=1e-6)
