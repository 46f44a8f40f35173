"""What B is said to be, of made merges, casts, swaps and LoRAs; and what is not said."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diff_models import (
    BLOCKS,
    CLIP,
    IDS,
    UNET,
    VAE,
    Array,
    Arrays,
    measured,
    mixed,
    reported,
    weights,
    with_ema,
)
from kanna.families.blocks import blocks_of
from kanna.identity import said
from kanna.messages import set_language
from kanna.ops.diff import DiffReport, report
from kanna.ops.diff_verdict import Verdict

A = weights(1)
C = weights(2, near=A)
D = weights(3, near=A)
HALF_A, HALF_C, HALF_D = ({n: a.astype("f2") for n, a in of.items()} for of in (A, C, D))


def kinds(report: DiffReport) -> list[str]:
    return [one.kind for one in report.verdicts]


def first(report: DiffReport) -> Verdict:
    return report.verdicts[0]


def halved(arrays: Arrays) -> dict[str, Array]:
    return {name: one.astype("f2") for name, one in arrays.items()}


def test_the_same_is_the_same() -> None:
    report = reported(A, A)
    assert kinds(report) == ["same"]
    assert report.same


def test_a_cast_is_found() -> None:
    report = reported(A, halved(A))
    assert kinds(report) == ["cast"]
    assert first(report).certainty == "certain"
    assert first(report).values["dtypes"] == [["fp32", "fp16"]]
    assert not report.same


def test_zeros_of_another_sign_are_equal_and_not_the_same() -> None:
    name = UNET + "time_embed.0.weight"
    zeros = {**A, name: np.zeros_like(A[name])}
    report = reported(zeros, {**zeros, name: -zeros[name]})
    assert kinds(report) == ["equal"]
    assert not report.same


def test_a_cast_of_numbers_that_are_none_is_one() -> None:
    name = UNET + "time_embed.0.weight"
    damaged = {**A, name: A[name].copy()}
    damaged[name].flat[:4] = np.nan, np.inf, 1e30, -0.0
    with np.errstate(over="ignore"):
        assert kinds(reported(damaged, halved(damaged))) == ["cast"]


def _cut(arrays: Arrays) -> dict[str, Array]:
    """The same numbers in fp16, cut off instead of rounded."""
    found = {}
    for name, one in arrays.items():
        near = one.astype("f2")
        over = np.abs(near.astype("f4")) > np.abs(one)
        found[name] = np.where(over, np.nextafter(near, np.float16(0)), near)
    return found


@pytest.mark.parametrize("candidates", [(), (C,), (C, D)])
def test_rounding_is_no_merge(candidates: tuple[Arrays, ...]) -> None:
    told = first(reported(A, _cut(A), *candidates))
    assert (told.kind, told.certainty) == ("rounded", "likely")


def test_a_block_that_is_something_else_makes_no_merge_certain() -> None:
    """What is left of it is little beside the rounding of all the others."""
    merge = mixed(HALF_A, HALF_C, 0.4)
    found = measured(HALF_A, merge, HALF_C)
    name = UNET + "time_embed.0.weight"
    noise = found.noise(found.differences)
    size = (2 * noise / merge[name].size) ** 0.5
    moved = merge[name] + (size * np.random.default_rng(4).standard_normal(merge[name].shape))
    told = first(reported(HALF_A, {**merge, name: moved.astype("f2")}, HALF_C))
    assert (told.kind, told.certainty) == ("weighted_sum", "likely")


@pytest.mark.parametrize("part", [UNET, CLIP, VAE])
def test_one_changed_number_defeats_a_cast(part: str) -> None:
    cast = halved(A)
    name = next(name for name in cast if name.startswith(part))
    changed = cast[name].copy()
    changed.flat[3] = np.nextafter(changed.flat[3], np.float16(1))
    report = reported(A, {**cast, name: changed})
    assert report.overall.unequal == 1
    assert (first(report).kind == "cast") is (part == VAE)  # which is told of, all the same
    assert ("other_vae" in kinds(report)) is (part == VAE)


def test_a_cast_backwards_is_told_from_a_wider_copy() -> None:
    assert kinds(reported(halved(A), A)) == ["original"]
    wide = {name: one.astype("f4") for name, one in halved(A).items()}
    assert kinds(reported(halved(A), wide)) == ["widened"]


def test_a_pruned_copy_is_told_with_what_it_lacks() -> None:
    full = with_ema(A, D)
    report = reported(full, A)
    assert kinds(report) == ["copy", "without"]
    assert report.verdicts[1].values["tensors"] == {"ema": len(full) - len(A)}
    assert kinds(reported(full, halved(A))) == ["cast", "without"]
    assert kinds(reported(A, full)) == ["copy", "with"]


def test_the_averaged_copy_as_model_is_found() -> None:
    copy = {name: D[name] if name.startswith(UNET) else one for name, one in A.items()}
    report = reported(with_ema(A, D), halved(copy))
    assert kinds(report)[0] == "averaged"
    wrong = {**halved(copy), UNET + "time_embed.0.weight": halved(A)[UNET + "time_embed.0.weight"]}
    assert "averaged" not in kinds(reported(with_ema(A, D), wrong))


def test_another_vae_is_found() -> None:
    swapped = {name: D[name] if name.startswith(VAE) else one for name, one in A.items()}
    report = reported(A, swapped)
    assert kinds(report) == ["other_vae", "parts_same"]
    assert ["diffusion_model", "diffusion_model"] in report.verdicts[1].values["parts"]  # type: ignore[operator]


def test_another_text_encoder_is_told_beside_an_unchanged_model() -> None:
    swapped = {name: D[name] if name.startswith(CLIP) else one for name, one in A.items()}
    report = reported(A, swapped)
    assert kinds(report) == ["related", "parts_same"]
    assert "text encoder" in said(first(report).note)


def test_position_ids_are_no_reason_to_call_a_model_another() -> None:
    ids = np.arange(77).reshape(1, 77)
    wrong = ids.copy()
    wrong[0, 41] = 40
    report = reported({**A, IDS: ids}, {**A, IDS: wrong})
    assert kinds(report) == ["copy", "ids"]


@pytest.mark.parametrize(
    ("a", "c", "exact"), [(A, C, 1e-6), (HALF_A, HALF_C, 1e-3)], ids=["fp32", "fp16"]
)
@pytest.mark.parametrize("alpha", [0.1, 0.35, 0.5, 0.95])
def test_a_weighted_sum_is_found(a: Arrays, c: Arrays, exact: float, alpha: float) -> None:
    merge = first(reported(a, mixed(a, c, alpha), c))
    assert (merge.kind, merge.certainty) == ("weighted_sum", "certain")
    assert merge.values["alpha"] == pytest.approx(alpha, abs=exact)
    assert merge.values["method"] == "weighted-sum"


WEIGHTS = {"BASE": 0.2, "IN00": 0.0, "IN01": 0.15, "IN04": 0.4, "M00": 0.75, "OUT05": 1.0}


@pytest.mark.parametrize(
    ("a", "c", "exact"), [(A, C, 1e-6), (HALF_A, HALF_C, 1e-3)], ids=["fp32", "fp16"]
)
def test_block_weights_are_found(a: Arrays, c: Arrays, exact: float) -> None:
    merge = first(reported(a, mixed(a, c, WEIGHTS), c))
    assert (merge.kind, merge.certainty) == ("weighted_sum_by_block", "certain")
    found: Any = merge.values["weights"]
    for block, weight in WEIGHTS.items():
        assert found["C"][block] == pytest.approx(weight, abs=exact)


def test_weights_that_are_nearly_the_same_are_not_called_one() -> None:
    near = {**dict.fromkeys([*BLOCKS.values(), "IN00", "BASE"], 0.3), "M00": 0.3015}
    merge = first(reported(A, mixed(A, C, near), C))
    assert (merge.kind, merge.certainty) == ("weighted_sum_by_block", "certain")
    found: Any = merge.values["weights"]
    assert found["C"]["M00"] == pytest.approx(0.3015, abs=1e-6)


def test_the_block_list_makes_the_merge_again() -> None:
    found = measured(HALF_A, HALF_A)
    words = next(iter(blocks_of(found.first.model, found.first.identity).lists.values()))
    merge = first(reported(HALF_A, mixed(HALF_A, HALF_C, WEIGHTS), HALF_C))
    blocks: Any = merge.values["blocks"]
    numbers = dict(zip(words, map(float, blocks["C"].split(",")), strict=True))
    again = mixed(HALF_A, HALF_C, numbers)
    before = mixed(HALF_A, HALF_C, WEIGHTS)
    for name, one in again.items():
        apart = np.abs(one.astype("f8") - before[name].astype("f8")).max()
        assert apart < 1e-4


@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_an_added_difference_is_found(dtype: str) -> None:
    a, c, d = ({n: x.astype(dtype) for n, x in of.items()} for of in (A, C, D))
    made = {
        n: (a[n].astype("f8") + 0.7 * (c[n].astype("f8") - d[n].astype("f8"))).astype(dtype)
        for n in a
    }
    merge = first(reported(a, made, c, d))
    assert (merge.kind, merge.certainty) == ("add_difference", "certain")
    assert merge.values["alpha"] == pytest.approx(0.7, abs=1e-3)
    assert merge.values["models"] == ["C", "D"]
    swapped = first(reported(a, made, d, c))
    assert swapped.values["models"] == ["D", "C"]
    assert swapped.values["alpha"] == pytest.approx(0.7, abs=1e-3)


def test_a_difference_of_relatives_is_found() -> None:
    """D is made of A and C, so that in most blocks no other weights could be told apart."""
    d = mixed(HALF_A, HALF_C, {"IN01": 0.3, "IN04": 0.6, "M00": 0.2, "OUT05": 0.5})
    made = {
        n: (a.astype("f8") + 0.6 * (HALF_C[n].astype("f8") - d[n].astype("f8"))).astype("f2")
        for n, a in HALF_A.items()
    }
    merge = first(reported(HALF_A, made, HALF_D, d, HALF_C))
    assert (merge.kind, merge.certainty) == ("add_difference", "certain")
    assert merge.values["models"] == ["E", "D"]
    assert merge.values["alpha"] == pytest.approx(0.6, abs=1e-3)


def test_three_models_are_found_together() -> None:
    made = {n: (0.5 * A[n].astype("f8") + 0.2 * C[n] + 0.3 * D[n]).astype("f4") for n in A}
    merge = first(reported(A, made, C, D))
    assert (merge.kind, merge.certainty) == ("sum_of_many", "certain")
    found: Any = merge.values["weights"]
    for block in BLOCKS.values():
        weight = found["C"][block], found["D"][block]
        assert weight == pytest.approx((0.2, 0.3), abs=1e-5)


def test_a_candidate_that_has_no_part_is_left_out() -> None:
    merge = first(reported(HALF_A, mixed(HALF_A, HALF_C, 0.4), HALF_C, HALF_D))
    assert (merge.kind, merge.values["models"]) == ("weighted_sum", ["C"])


def test_candidates_that_are_the_same_do_no_harm() -> None:
    merge = first(reported(HALF_A, mixed(HALF_A, HALF_C, 0.4), HALF_C, HALF_C))
    assert (merge.kind, merge.certainty) == ("weighted_sum", "certain")


def test_a_candidate_with_one_part_only_explains_that_part() -> None:
    unet = {name: one for name, one in HALF_C.items() if name.startswith(UNET)}
    report = reported(HALF_A, mixed(HALF_A, HALF_C, dict.fromkeys(BLOCKS.values(), 0.4)), unet)
    assert first(report).kind in {"weighted_sum", "weighted_sum_by_block"}
    fits = {one.part[0]: one.fit for one in report.parts}
    assert fits["text_encoder"] is None


def test_b_that_is_a_candidate_is_found() -> None:
    assert first(reported(HALF_A, HALF_C, HALF_C)).kind == "other"


def test_a_stranger_among_the_candidates_explains_nothing() -> None:
    report = reported(HALF_A, mixed(HALF_A, HALF_C, 0.4), HALF_D)
    assert kinds(report)[0] == "related"
    assert not any("merge" in one or "sum" in one for one in kinds(report))


def test_weights_by_component_are_found() -> None:
    low, high = mixed(HALF_A, HALF_C, 0.1), mixed(HALF_A, HALF_C, 0.6)
    merge = first(reported(HALF_A, {n: low[n] if "attn2" in n else high[n] for n in A}, HALF_C))
    assert (merge.kind, merge.certainty) == ("merged_by_element", "certain")
    found: Any = merge.values["weights"]
    assert found["C"]["M00 attn2"] == pytest.approx(0.1, abs=1e-3)
    assert found["C"]["M00 attn1"] == pytest.approx(0.6, abs=1e-3)


def test_a_candidate_that_explains_a_part_is_told_as_likely() -> None:
    made = {n: (A[n] + 0.5 * (C[n] - A[n]) + 0.2 * (D[n] - A[n])).astype("f4") for n in A}
    report = reported(A, made, C)
    told = next(one for one in report.verdicts if one.kind == "partly_merged")
    assert told.certainty == "likely"
    assert 0.02 < float(told.values["unexplained"]) < 0.5  # type: ignore[arg-type]


def test_coarse_arithmetic_makes_a_merge_likely_at_least() -> None:
    made = {n: (np.float16(0.65) * a + np.float16(0.35) * HALF_C[n]) for n, a in HALF_A.items()}
    merge = first(reported(HALF_A, made, HALF_C))
    assert merge.kind == "weighted_sum"
    assert merge.values["alpha"] == pytest.approx(0.35, abs=1e-3)


def test_a_scaled_model_is_found() -> None:
    scaled = {name: (1.25 * one.astype("f8")).astype("f4") for name, one in A.items()}
    told = first(reported(A, scaled))
    assert (told.kind, told.certainty) == ("scaled", "certain")
    assert told.values["scale"] == pytest.approx(1.25, abs=1e-6)


def test_models_made_apart_are_unrelated() -> None:
    told = first(reported(A, weights(99)))
    assert (told.kind, told.certainty) == ("unrelated", "certain")


def test_a_fine_tune_is_related_and_nothing_more() -> None:
    report = reported(A, C)
    assert kinds(report)[0] == "related"
    assert first(report).certainty == "likely"
    assert "lora" not in kinds(report)


def with_lora(base: Arrays, rank: int, dtype: str = "f4") -> dict[str, Array]:
    random = np.random.default_rng(7)
    made = {}
    for name, one in base.items():
        delta: Any = 0
        if "attn" in name and one.ndim == 2:
            up = random.standard_normal((one.shape[0], rank))
            delta = 0.004 * up @ random.standard_normal((rank, one.shape[1])) / np.sqrt(rank)
        made[name] = (one.astype("f8") + delta).astype(dtype)
    return made


@pytest.mark.parametrize("dtype", ["f4", "f2"])
@pytest.mark.parametrize("rank", [1, 4, 16])
def test_a_lora_is_found_with_its_rank(rank: int, dtype: str) -> None:
    base = {name: one.astype(dtype) for name, one in A.items()}
    report = reported(base, with_lora(base, rank, dtype))
    assert (first(report).kind, first(report).values["rank"]) == ("lora", rank)
    assert first(report).certainty == "certain"


def test_a_lora_in_a_cast_model_is_found() -> None:
    assert first(reported(A, with_lora(A, 4, "f2"))).kind == "lora"


def test_noise_on_matrices_alone_is_no_lora() -> None:
    made = {n: C[n] if "attn" in n and C[n].ndim == 2 else one for n, one in A.items()}
    report = reported(A, made)
    assert kinds(report)[0] == "related"
    assert first(report).evidence


def test_without_torch_it_is_said_that_nobody_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "kanna.ops.diff_lora.find_spec", lambda name: None if name == "torch" else find(name)
    )
    report = reported(A, with_lora(A, 4))
    assert kinds(report)[0] == "related"
    assert any("torch" in said(note) for note in first(report).evidence)


def test_numbers_that_are_none_defeat_no_merge_of_the_others() -> None:
    made = mixed(A, C, 0.3)
    name = UNET + "time_embed.0.weight"
    made[name] = made[name].copy()
    made[name].flat[0] = np.nan
    merge = first(reported(A, made, C))
    assert merge.kind == "weighted_sum"
    assert merge.values["alpha"] == pytest.approx(0.3, abs=1e-6)


def test_a_quantised_copy_is_told_as_likely() -> None:
    found = measured(A, {n: (a * 127).round().astype("f4") / np.float32(127) for n, a in A.items()})
    decoded = frozenset(name for name in A if A[name].ndim > 1)
    second = replace(found.second, decoded=decoded)
    told = report(replace(found, second=second)).verdicts
    assert told[0].kind in {"quantised", "related"}
    coarse = measured(A, {n: (a * 2000).round() / np.float32(2000) for n, a in A.items()})
    told = report(replace(coarse, second=replace(coarse.second, decoded=decoded))).verdicts
    assert (told[0].kind, told[0].certainty) == ("quantised", "likely")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_verdict_can_be_said(language: str) -> None:
    set_language(language)
    files: list[tuple[Arrays, ...]] = [
        (A, A), (A, halved(A)), (halved(A), A), (A, C), (A, weights(9)), (A, with_lora(A, 4)),
        (A, mixed(A, C, 0.3), C), (A, mixed(A, C, WEIGHTS), C), (with_ema(A, D), A), (A, C, C),
        (A, {**A, VAE + "decoder.conv_in.weight": D[VAE + "decoder.conv_in.weight"]}),
    ]  # fmt: skip
    for some in files:
        for told in reported(*some).verdicts:
            sentence = said(told.note)
            assert sentence
            assert "{" not in sentence
            document: Mapping[str, object] = told.to_json()
            assert document["kind"] == told.kind
            assert isinstance(document["values"], dict)
