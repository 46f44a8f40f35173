"""A1111's arithmetic, bit for bit, against its algorithm written down again in torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kanna.dtypes import FP16, FP32, DType
from kanna.errors import UsageError
from kanna.merging.recipe import Wish
from merge_files import header, held, made, numbers, planned, recipe

SKIPPED = "cond_stage_model.transformer.text_model.embeddings.position_ids"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
Theta = dict[str, torch.Tensor]


def run_modelmerger(
    primary: Theta, secondary: Theta, tertiary: Theta | None, alpha: float, *, half: bool
) -> Theta:
    """What AUTOMATIC1111 modules/extras.py makes of three state dicts."""
    theta_0, theta_1 = dict(primary), dict(secondary)
    if tertiary is not None:
        for key, one in secondary.items():
            if "model" in key and key != SKIPPED:
                other = tertiary.get(key)
                theta_1[key] = torch.zeros_like(one) if other is None else one - other

    def merged(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (1 - alpha) * a + alpha * b if tertiary is None else a + alpha * b

    for key, a in theta_0.items():
        if "model" not in key or key not in theta_1 or key == SKIPPED:
            continue
        b = theta_1[key]
        if a.shape != b.shape and a.shape[0:1] + a.shape[2:] == b.shape[0:1] + b.shape[2:]:
            whole = a.clone()
            whole[:, 0:4, :, :] = merged(a[:, 0:4, :, :], b)
            theta_0[key] = whole
        else:
            theta_0[key] = merged(a, b)
        if half and theta_0[key].dtype == torch.float32:
            theta_0[key] = theta_0[key].half()
    return theta_0


def model(seed: int, dtype: torch.dtype) -> Theta:
    """Weights of all sizes of numbers, and what is beside them in a checkpoint."""
    generator = torch.Generator().manual_seed(seed)

    def weights(*shape: int) -> torch.Tensor:
        drawn = torch.randn(shape, generator=generator)
        return (drawn * 10.0 ** torch.randint(-4, 2, shape, generator=generator)).to(dtype)

    return {
        FIRST: weights(8, 4, 3, 3),
        "model.diffusion_model.out.2.weight": weights(300, 40),
        "first_stage_model.decoder.conv_in.weight": weights(16, 4, 3, 3),
        "conditioner.embedders.1.model.logit_scale": weights(1).reshape(()),
        SKIPPED: torch.arange(77).reshape(1, 77),
        "betas": weights(1000),
    }


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.3, 0.35, 0.5, 0.95, 1.0])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        (torch.float16, torch.float16),
        (torch.bfloat16, torch.bfloat16),
        (torch.float32, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float16),
        (torch.bfloat16, torch.float16),
    ],
)
def test_a_weighted_sum_is_that_of_a1111(
    one: torch.dtype, two: torch.dtype, alpha: float, tmp_path: Path
) -> None:
    a, b = model(1, one), model(2, two)
    wanted = run_modelmerger(a, b, None, alpha, half=False)
    asked = recipe("ab", alpha=alpha, compat="a1111")
    assert_same(made(planned(asked, a=held(a), b=held(b)), tmp_path), wanted)


@pytest.mark.parametrize("alpha", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("dtypes", [("fp16",) * 3, ("bf16",) * 3, ("fp32", "fp16", "fp16")])
def test_added_differences_are_those_of_a1111(
    dtypes: tuple[str, ...], alpha: float, tmp_path: Path
) -> None:
    kinds = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
    a, b, c = (model(seed, kinds[word]) for seed, word in enumerate(dtypes))
    wanted = run_modelmerger(a, b, c, alpha, half=False)
    asked = recipe("ab", "add-difference", base="c", alpha=alpha, compat="a1111")
    assert_same(made(planned(asked, a=held(a), b=held(b), c=held(c)), tmp_path), wanted)


@pytest.mark.parametrize("second", [FP16, FP32])
def test_inpainting_models_are_merged_in_their_first_channels(
    second: DType, tmp_path: Path
) -> None:
    a = header("sd15-inpaint-fp16", 1)
    b, c = (header("sd15-fp16-pruned", seed, dtype=second) for seed in (2, 3))
    thetas = [{FIRST: numbers(one[FIRST])} for one in (a, b, c)]
    wanted = run_modelmerger(thetas[0], thetas[1], thetas[2], 0.7, half=False)
    asked = recipe("ab", "add-difference", base="c", alpha=0.7, compat="a1111")
    assert_same(made(planned(asked, a=a, b=b, c=c), tmp_path, [FIRST]), wanted)


def test_half_precision_is_rounded_to_after_fp32(tmp_path: Path) -> None:
    a, b = model(1, torch.float32), model(2, torch.float32)
    wanted = run_modelmerger(a, b, None, 0.3, half=True)
    asked = recipe("ab", alpha=0.3, compat="a1111", wish=Wish(dtype="fp16"))
    merged = made(planned(asked, a=held(a), b=held(b)), tmp_path)
    assert_same({n: t for n, t in merged.items() if n != "betas"},
                {n: t for n, t in wanted.items() if n != "betas"})  # fmt: skip


def test_kanna_itself_rounds_once(tmp_path: Path) -> None:
    """A1111 is off in more than a tenth of all numbers, kanna in next to none."""
    name = "model.diffusion_model.out.2.weight"
    a, b = model(1, torch.float16), model(2, torch.float16)
    exact = (0.7 * a[name].double() + 0.3 * b[name].double()).half()
    ours = made(planned(recipe("ab", alpha=0.3), a=held(a), b=held(b)), tmp_path)[name]
    theirs = run_modelmerger(a, b, None, 0.3, half=False)[name]
    assert (ours != exact).float().mean() < 0.01
    assert (theirs != exact).float().mean() > 0.1


def test_other_methods_are_not_a1111s() -> None:
    a = model(1, torch.float16)
    asked = recipe("ab", "slerp", alpha=0.3, compat="a1111")
    with pytest.raises(UsageError):
        planned(asked, a=held(a), b=held(a))


def assert_same(ours: Theta, wanted: Theta) -> None:
    assert ours.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert ours[name].dtype == tensor.dtype, name
        assert torch.equal(ours[name], tensor), name
