"""What modules add to a weight, against formulas written by hand."""

from __future__ import annotations

import pytest
import torch

from kanna.errors import Incompatible
from kanna.lora.deltas import added, added_to_bias
from kanna.merging.terms import Term, combined
from lora_files import info, module_of, random, total, values

OUT, IN, RANK = 24, 20, 4


def test_low_rank_is_kohyas_formula() -> None:
    up, down, weight = random(OUT, RANK), random(RANK, IN, seed=1), random(OUT, IN, seed=2)
    module = module_of({"lora_up.weight": up, "lora_down.weight": down, "alpha": torch.tensor(2.0)})
    made = total(added(module, info("w", weight), 0.7))
    assert torch.allclose(made, 0.7 * (2.0 / RANK) * (up @ down), atol=1e-5)


def test_without_alpha_the_product_counts_as_it_is() -> None:
    up, down = random(OUT, RANK), random(RANK, IN, seed=1)
    module = module_of({"lora_up.weight": up, "lora_down.weight": down})
    assert torch.allclose(
        total(added(module, info("w", random(OUT, IN)), 1.0)), up @ down, atol=1e-5
    )


def test_convolutions_are_kohyas_formula() -> None:
    up, down = random(OUT, RANK, 1, 1), random(RANK, IN, 3, 3, seed=1)
    module = module_of({"lora_up.weight": up, "lora_down.weight": down})
    made = total(added(module, info("w", random(OUT, IN, 3, 3)), 1.0))
    expected = torch.nn.functional.conv2d(down.permute(1, 0, 2, 3), up).permute(1, 0, 2, 3)
    assert torch.allclose(made, expected, atol=1e-5)


def test_the_scale_of_loha_and_lokr_counts_once() -> None:
    a, b = random(OUT, RANK), random(RANK, IN, seed=1)
    c, d = random(OUT, RANK, seed=2), random(RANK, IN, seed=3)
    pieces = {"hada_w1_a": a, "hada_w1_b": b, "hada_w2_a": c, "hada_w2_b": d}
    loha = module_of({**pieces, "alpha": torch.tensor(1.0)})
    made = total(added(loha, info("w", random(OUT, IN)), 1.0))
    assert torch.allclose(made, (a @ b) * (c @ d) / RANK, atol=1e-5)
    w1, w2a, w2b = random(4, 5), random(6, 2, seed=1), random(2, 4, seed=2)
    lokr = module_of(
        {"lokr_w1": w1, "lokr_w2_a": w2a, "lokr_w2_b": w2b, "alpha": torch.tensor(1.0)}
    )
    made = total(added(lokr, info("w", random(OUT, IN)), 1.0))
    assert torch.allclose(made, torch.kron(w1, w2a @ w2b) / 2, atol=1e-5)


def test_alpha_means_nothing_to_a_lokr_of_whole_matrices() -> None:
    w1, w2 = random(4, 5), random(6, 4, seed=1)
    module = module_of({"lokr_w1": w1, "lokr_w2": w2, "alpha": torch.tensor(1e9)})
    made = total(added(module, info("w", random(OUT, IN)), 1.0))
    assert torch.allclose(made, torch.kron(w1, w2), atol=1e-5)


@pytest.mark.parametrize("tucker", [False, True])
def test_loha_and_lokr_of_convolutions(*, tucker: bool) -> None:
    """LyCORIS 4.1 fails on what it writes itself where there is no core."""
    w1, w2a = random(4, 5), random(*((2, 6) if tucker else (6, 2)), seed=1)
    w2b = random(2, 4 if tucker else 36, seed=2)
    core = {"lokr_t2": random(2, 2, 3, 3, seed=3)} if tucker else {}
    module = module_of({"lokr_w1": w1, "lokr_w2_a": w2a, "lokr_w2_b": w2b, **core})
    made = total(added(module, info("w", random(OUT, IN, 3, 3)), 1.0))
    w2 = (w2a @ w2b).reshape(6, 4, 3, 3) if not tucker else torch.einsum(
        "ijkl,ip,jr->prkl", core["lokr_t2"], w2a, w2b
    )  # fmt: skip
    expected = torch.stack([
        torch.cat([w1[i, j] * w2[k] for j in range(5)]) for i in range(4) for k in range(6)
    ])  # fmt: skip
    assert torch.allclose(made, expected, atol=1e-4)


@pytest.mark.parametrize("strength", [1.0, 0.6])
@pytest.mark.parametrize("start", ["oft", "boft"])
def test_a_rotation_is_stretched(start: str, strength: float) -> None:
    shape = (2, 8, 4, 4) if start == "boft" else (8, 4, 4)
    still, numbers = torch.zeros(shape), random(32, 1, seed=1)
    module = module_of({"oft_blocks": still, "rescale": numbers})
    weight = random(32, IN, seed=2)
    assert module.kind == start
    made = total(added(module, info("w", weight), strength))
    assert torch.allclose(made, strength * (numbers - 1) * weight, atol=1e-5)


def test_whole_differences_biases_and_norms() -> None:
    weight, bias = info("w", random(OUT, IN)), info("b", random(OUT))
    diff, diff_b = random(OUT, IN, seed=1), random(OUT, seed=2)
    module = module_of({"diff": diff, "diff_b": diff_b})
    assert torch.equal(total(added(module, weight, 0.5)), 0.5 * diff)
    assert torch.equal(total(added_to_bias(module, bias, 0.5)), 0.5 * diff_b)
    norm = module_of({"w_norm": diff_b, "b_norm": random(OUT, seed=3)})
    assert torch.equal(total(added(norm, bias, 1.0)), diff_b)


def test_a_weight_that_is_set_is_there_as_it_is() -> None:
    weight, new = info("w", random(OUT, IN)), random(OUT, IN, seed=1)
    terms = added(module_of({"set_weight": new}), weight, 1.0)
    kept = combined([((Term(weight),), 1.0), (terms, 1.0)])
    assert [term.weight for term in kept] == [1.0]
    assert torch.equal(values(kept[0].tensor), new)


def test_peft_multiplies_its_bias_like_the_product() -> None:
    up, down, bias = random(OUT, RANK), random(RANK, IN, seed=1), random(OUT, seed=2)
    pieces = {"lora_A.weight": down, "lora_B.weight": up, "lora_B.bias": bias}
    module = module_of({**pieces, "alpha": torch.tensor(2.0)}, "unet.some.layer")
    made = total(added_to_bias(module, info("b", random(OUT)), 3.0))
    assert torch.allclose(made, 3.0 * 2.0 / RANK * bias)


@pytest.mark.parametrize("kind", ["lora", "dora", "loha", "lokr", "ia3", "oft"])
def test_runs_of_rows_are_the_whole(kind: str) -> None:
    """The engine reads some rows at a time, wherever they begin."""
    pieces = {
        "lora": {"lora_up.weight": random(32, 4), "lora_down.weight": random(4, IN)},
        "dora": {"lora_up.weight": random(32, 4), "lora_down.weight": random(4, IN),
                 "dora_scale": random(32, 1, seed=3)},
        "loha": {"hada_w1_a": random(32, 4), "hada_w1_b": random(4, IN),
                 "hada_w2_a": random(32, 3), "hada_w2_b": random(3, IN)},
        "lokr": {"lokr_w1": random(4, 5), "lokr_w2": random(8, 4)},
        "ia3": {"weight": random(32), "on_input": torch.tensor(0)},
        "oft": {"oft_blocks": random(8, 4, 4)},
    }[kind]  # fmt: skip
    (term,) = added(module_of(pieces), info("w", random(32, IN, seed=4)), 1.0)
    whole, data = bytes(term.tensor.read()), term.tensor.data
    assert not data.whole
    for start, size in ((0, 80), (44, 4 * IN * 3 + 8), (4 * IN * 31, 4 * IN), (4, 2000)):
        part = bytearray(size)
        data.read_into(start, memoryview(part))
        assert bytes(part) == whole[start : start + size]


@pytest.mark.parametrize(
    "pieces",
    [
        {"lora_up.weight": random(OUT, RANK), "lora_down.weight": random(RANK, IN + 1)},
        {"lora_up.weight": random(OUT, RANK), "lora_down.weight": random(RANK + 1, IN)},
        {"hada_w1_a": random(OUT, 4), "hada_w1_b": random(4, IN), "hada_w2_a": random(OUT, 4),
         "hada_w2_b": random(3, IN)},
        {"lokr_w1": random(4, 5), "lokr_w2": random(6, 5)},
        {"oft_blocks": random(5, 4, 4)},
        {"weight": random(OUT + 1), "on_input": torch.tensor(0)},
        {"diff": random(OUT, IN + 1)},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(pieces: dict[str, torch.Tensor]) -> None:
    with pytest.raises(Incompatible) as caught:
        added(module_of(pieces), info("w", random(OUT, IN)), 1.0)
    assert caught.value.key in {"lora.unfit", "lora.pieces_unfit"}


def test_nobody_knows_how_peft_turned() -> None:
    module = module_of({"oft_R.weight": random(5, 6)}, "unet.some.layer")
    with pytest.raises(Incompatible) as caught:
        added(module, info("w", random(OUT, IN)), 1.0)
    assert caught.value.key == "lora.no_formula"
