"""LoRAs at other ranks: against the decomposition of the whole layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import sqrt

import pytest
import torch

from kanna.errors import Incompatible, UsageError
from kanna.ops.lora_resize import Resized, ResizeOptions, resize
from lora_files import file_of, random, values
from lora_pairs import opened

STEM = "lora_unet_mid_block_attentions_0_proj_in"


def resized(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None,
    architecture: str | None = None, **options: object,
) -> Resized:  # fmt: skip
    file = file_of(tensors, metadata=metadata)
    lora = opened(file, architecture, kind="lora")  # type: ignore[arg-type]
    return resize(lora, ResizeOptions(**options))  # type: ignore[arg-type]


def made_by(done: Resized) -> dict[str, torch.Tensor]:
    return {output.name: values(output.inputs[0]) for output in done.plan.outputs}


def kohya(rank: int, alpha: float, stem: str = STEM, seed: int = 0) -> dict[str, torch.Tensor]:
    falling = 0.5 ** torch.arange(rank)
    return {
        f"{stem}.lora_up.weight": random(12, rank, seed=seed) * falling,
        f"{stem}.lora_down.weight": random(rank, 9, seed=seed + 1),
        f"{stem}.alpha": torch.tensor(alpha),
    }


def product(tensors: Mapping[str, torch.Tensor], stem: str = STEM) -> torch.Tensor:
    up, down = (tensors[f"{stem}.lora_{word}.weight"].double().flatten(1)
                for word in ("up", "down"))  # fmt: skip
    return up @ down * float(tensors[f"{stem}.alpha"]) / up.shape[1]


def test_a_lower_rank_is_the_best_one() -> None:
    tensors = kohya(6, 3.0)
    done = resized(tensors, rank=2)
    made = made_by(done)
    whole = product(tensors)
    values_ = torch.linalg.svdvals(whole)
    error = float((product(made) - whole).norm())
    assert made[f"{STEM}.lora_down.weight"].shape == (2, 9)
    assert made[f"{STEM}.alpha"] == 2
    assert error == pytest.approx(float(values_[2:].norm()), rel=1e-5)
    kept = sqrt(float(values_[:2].square().sum() / values_.square().sum()))
    assert done.report.overall.share == pytest.approx(kept, rel=1e-6)  # kohya's "fro retained"
    assert done.report.before == ((6, 1),)


def test_dynamic_ranks_are_those_that_the_whole_layer_asks_for() -> None:
    tensors = kohya(6, 6.0)
    values_ = torch.linalg.svdvals(product(tensors))[:6]
    rank = int((values_ > values_[0] / 4).sum())
    done = resized(tensors, dynamic="ratio:4")
    assert done.report.overall.ranks == ((rank, 1),)
    assert done.plan.metadata.get("ss_network_dim") is None  # no trainer's file


def test_the_total_is_of_sums_of_squares_not_a_mean() -> None:
    small = {name: 0.01 * one if "up" in name else one
             for name, one in kohya(6, 6.0, STEM + "_2", seed=9).items()}  # fmt: skip
    tensors = kohya(6, 6.0) | small
    done = resized(tensors, rank=1)
    made = made_by(done)
    errors = [float((product(made, s) - product(tensors, s)).square().sum())
              for s in (STEM, STEM + "_2")]  # fmt: skip
    whole = [float(product(tensors, s).square().sum()) for s in (STEM, STEM + "_2")]
    assert done.report.overall.error == pytest.approx(sqrt(sum(errors) / sum(whole)), rel=1e-5)


def test_a_higher_rank_is_not_made() -> None:
    done = resized(kohya(3, 3.0), rank=8)
    assert done.report.overall.ranks == ((3, 1),)
    assert done.report.overall.error < 1e-6
    assert "lora_making.not_raised" in {note.key for note in done.plan.notes}


def test_a_convolution_with_a_core_becomes_a_plain_one() -> None:
    """Tucker's form, with LyCORIS' formula for the whole."""
    up, down, core = random(8, 3, 1, 1), random(2, 5, 1, 1, seed=1), random(3, 2, 3, 3, seed=2)
    tensors = {f"{STEM}.lora_up.weight": up, f"{STEM}.lora_down.weight": down,
               f"{STEM}.lora_mid.weight": core}  # fmt: skip
    whole = torch.einsum("rs...,or,si->oi...", core, up[..., 0, 0], down[..., 0, 0])
    made = made_by(resized(tensors, rank=3))
    assert made[f"{STEM}.lora_down.weight"].shape == (3, 5, 3, 3)
    assert f"{STEM}.lora_mid.weight" not in made
    assert torch.allclose(product(made).float(), whole.flatten(1), atol=1e-5)


def test_ranks_of_convolutions_are_their_own() -> None:
    conv = {f"{STEM}_2.lora_up.weight": random(8, 4, 1, 1),
            f"{STEM}_2.lora_down.weight": random(4, 5, 3, 3)}  # fmt: skip
    done = resized(kohya(6, 6.0) | conv, rank=3, conv_rank=2)
    made = made_by(done)
    assert made[f"{STEM}.lora_down.weight"].shape[0] == 3
    assert made[f"{STEM}_2.lora_down.weight"].shape == (2, 5, 3, 3)


def test_a_lokr_becomes_a_plain_lora() -> None:
    small, large = random(2, 3), random(4, 2, seed=3)
    tensors = {f"{STEM}.lokr_w1": small, f"{STEM}.lokr_w2": large}
    done = resized(tensors, rank=6)
    assert torch.allclose(product(made_by(done)).float(), torch.kron(small, large), atol=1e-5)
    assert "lora_making.turned" in {note.key for note in done.plan.notes}


def test_what_has_no_rank_stays() -> None:
    whole = {f"{STEM}_n.diff": random(4, seed=1), f"{STEM}_n.diff_b": random(4, seed=2)}
    done = resized(kohya(6, 6.0) | whole, rank=2)
    made = made_by(done)
    assert all(torch.equal(made[name], one) for name, one in whole.items())
    assert done.report.kept == 1


def test_magnitudes_of_dora_stay() -> None:
    scale = random(12, 1, seed=8).abs()
    done = resized(kohya(6, 6.0) | {f"{STEM}.dora_scale": scale}, rank=2)
    assert torch.equal(made_by(done)[f"{STEM}.dora_scale"], scale)
    assert "lora_making.decomposed" in {note.key for note in done.plan.notes}


def test_peft_is_told_the_ranks_where_they_differ() -> None:
    stems = ["transformer.blocks.0.to_q", "transformer.blocks.1.to_q"]
    tensors = {}
    for at, (stem, rank) in enumerate(zip(stems, (1, 4), strict=True)):
        tensors[f"{stem}.lora_B.weight"] = random(8, rank, seed=at)
        tensors[f"{stem}.lora_A.weight"] = random(rank, 6, seed=at + 5)
    old = {"lora_adapter_metadata": json.dumps({"transformer.r": 4, "transformer.lora_alpha": 8})}
    done = resized(tensors, old, rank=2)
    made = made_by(done)
    up, down = (made[f"{stems[1]}.lora_{word}.weight"] for word in "BA")
    first = random(8, 4, seed=1) @ random(4, 6, seed=6) * 2  # alpha 8 over rank 4
    best = torch.linalg.svdvals(first)[2:].norm()
    assert float((up @ down - first).norm()) == pytest.approx(float(best), rel=1e-4)
    settings = json.loads(done.plan.metadata["lora_adapter_metadata"])
    ranks = {settings["transformer.r"], *settings["transformer.rank_pattern"].values()}
    assert ranks == {1, 2}


def test_metadata_say_the_new_rank() -> None:
    old = {"ss_network_dim": "6", "ss_network_alpha": "3", "ss_output_name": "style",
           "ss_network_args": json.dumps({"algo": "lora", "conv_dim": "8"})}  # fmt: skip
    fields = resized(kohya(6, 3.0), old, rank=2).plan.metadata
    assert (fields["ss_network_dim"], fields["ss_network_alpha"]) == ("2", "2")
    assert fields["ss_output_name"] == "style"
    assert json.loads(fields["ss_network_args"]) == {"algo": "lora"}


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError):
        resized(kohya(6, 3.0))
    with pytest.raises(Incompatible):
        resized({f"{STEM}.diff": random(4, 4)}, rank=2)
