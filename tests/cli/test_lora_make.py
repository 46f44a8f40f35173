"""`kanna lora extract`, `merge` and `resize` as people call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from kanna.cli import run
from lora_files import random
from lora_pairs import saved
from sparse import write_sparse

STEM = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"


def lora(rank: int, seed: int) -> dict[str, torch.Tensor]:
    return {f"{STEM}.lora_up.weight": random(640, rank, seed=seed),
            f"{STEM}.lora_down.weight": random(rank, 2048, seed=seed + 1),
            f"{STEM}.alpha": torch.tensor(float(rank))}  # fmt: skip


def document(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = run(["lora", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def product(path: Path) -> torch.Tensor:
    tensors = load_file(path)
    up, down = (tensors[f"{STEM}.lora_{word}.weight"].double() for word in ("up", "down"))
    return up @ down * float(tensors[f"{STEM}.alpha"]) / up.shape[1]


@pytest.fixture
def loras(tmp_path: Path) -> tuple[str, str]:
    return saved(tmp_path / "a.safetensors", lora(4, 1)), saved(
        tmp_path / "b.safetensors", lora(2, 5)
    )


def test_merge_writes_the_weighted_sum(
    capsys: pytest.CaptureFixture[str], loras: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "sum.safetensors"
    code, told = document(capsys, "merge", *loras, "-o", str(out), "-w", "1,-0.5")
    assert code == 0
    expected = product(Path(loras[0])) - 0.5 * product(Path(loras[1]))
    assert torch.allclose(product(out), expected, atol=1e-4)
    assert told["report"]["relative_error"] < 1e-6
    assert [one["weight"] for one in told["loras"]] == [1.0, -0.5]
    assert told["result"]["size"] == out.stat().st_size


def test_resize_writes_and_tells(
    capsys: pytest.CaptureFixture[str], loras: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "small.safetensors"
    assert run(["lora", "resize", loras[0], "--rank", "2", "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "2×1" in printed
    error = (product(out) - product(Path(loras[0]))).norm() / product(Path(loras[0])).norm()
    code, told = document(capsys, "resize", loras[0], "--rank", "2", "-o", str(out), "--force")
    assert code == 0
    assert told["report"]["relative_error"] == pytest.approx(float(error), rel=1e-3)


def test_a_dry_run_and_a_refusal_write_nothing(
    capsys: pytest.CaptureFixture[str], loras: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "x.safetensors"
    assert run(["lora", "merge", *loras, "-o", str(out), "--dry-run"]) == 0
    assert run(["lora", "merge", *loras, "-o", str(out), "-w", "1"]) == 2
    assert run(["lora", "merge", *loras, "-o", str(tmp_path / "x.ckpt")]) == 2
    assert run(["lora", "merge", *loras, "-o", loras[0], "--force"]) == 2
    assert run(["lora", "resize", loras[0], "--rank", "2", "-o", loras[1]]) == 15
    assert run(["lora", "resize", loras[0], "-o", str(out)]) == 2
    assert run(["lora", "extract", *loras, "-o", str(out)]) == 13
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]
    capsys.readouterr()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("verb", ["extract", "merge", "resize"])
def test_help_is_there(capsys: pytest.CaptureFixture[str], verb: str, language: str) -> None:
    assert run(["lora", verb, "--help", "--lang", language]) == 0
    assert "--rank" in capsys.readouterr().out


def test_what_is_extracted_and_baked_lacks_what_was_stated(
    capsys: pytest.CaptureFixture[str], roomy: Path
) -> None:
    """All on the command line: a model is tuned, the LoRA is got back out of it, and put in."""
    base = write_sparse(roomy / "clip_l.safetensors", "te-clip-l-fp16")
    layers = {"3_mlp_fc1": (3072, 768), "7_self_attn_q_proj": (768, 768)}
    style: dict[str, torch.Tensor] = {}
    for at, (layer, (rows, columns)) in enumerate(layers.items()):
        stem = f"lora_te_text_model_encoder_layers_{layer}"
        style[f"{stem}.lora_up.weight"] = random(rows, 4, seed=at)
        style[f"{stem}.lora_down.weight"] = random(4, columns, seed=at + 10, scale=1 + at)
    tuned, small, back = (str(roomy / f"{word}.safetensors") for word in ("tuned", "small", "back"))
    source = saved(roomy / "style.safetensors", style)
    assert run(["lora", "bake", str(base), source, "-o", tuned, "--no-hash", "-q"]) == 0
    code, told = document(capsys, "extract", tuned, str(base), "--rank", "2", "-o", small)
    assert (code, told["report"]["layers"]["layers"]) == (0, 2)
    assert run(["lora", "bake", str(base), small, "-o", back, "--no-hash", "-q"]) == 0
    wanted, made = load_file(tuned), load_file(back)
    lacking = sum(float((wanted[name].double() - made[name]).square().sum()) for name in wanted)
    whole = sum(
        float(one.double().square().sum()) for one in wanted.values() if one.is_floating_point()
    )
    assert told["report"]["relative_error"] == pytest.approx((lacking / whole) ** 0.5, rel=2e-3)
    assert 0.3 < told["report"]["relative_error"] < 0.9
