"""`kanna lora bake` and `kanna lora convert` as people use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from kanna.cli import run
from sparse import write_sparse

LAYER = "text_model.encoder.layers.3.mlp.fc1"


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """CLIP-L by itself: the smallest model that LoRAs are made for. Its numbers are zeros."""
    return write_sparse(tmp_path / "clip_l.safetensors", "te-clip-l-fp16")


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return written(tmp_path / "style.safetensors", alpha=2.0)


def written(path: Path, alpha: float | None, **more: torch.Tensor) -> Path:
    noise = torch.Generator().manual_seed(3)
    name = f"lora_te_{LAYER.replace('.', '_')}"
    tensors = {
        f"{name}.lora_up.weight": torch.randn(3072, 4, generator=noise),
        f"{name}.lora_down.weight": torch.randn(4, 768, generator=noise),
        **({} if alpha is None else {f"{name}.alpha": torch.tensor(alpha)}), **more,
    }  # fmt: skip
    save_file(tensors, path, {"ss_network_dim": "4", "sshs_model_hash": "0" * 64})
    return path


def numbers(path: Path, name: str) -> torch.Tensor:
    with safe_open(path, "pt") as file:
        tensor: torch.Tensor = file.get_tensor(name)
        return tensor


def product(lora: Path) -> torch.Tensor:
    name, tensors = f"lora_te_{LAYER.replace('.', '_')}", load_file(lora)
    return tensors[f"{name}.lora_up.weight"] @ tensors[f"{name}.lora_down.weight"]


def test_a_bake_puts_the_lora_in(
    encoder: Path, lora: Path, roomy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = roomy / "baked.safetensors"
    command = ["lora", "bake", str(encoder), str(lora), "--weights", "0.5", "-o", str(out)]
    assert run([*command, "--no-hash"]) == 0
    assert "style.safetensors" in capsys.readouterr().out
    expected = (0.5 * 2.0 / 4 * product(lora)).half()
    made = numbers(out, f"{LAYER}.weight")
    assert torch.allclose(made.float(), expected.float(), atol=1e-3)
    assert made.dtype is torch.float16
    assert not numbers(out, "text_model.encoder.layers.4.mlp.fc1.weight").any()
    assert run([*command, "--no-hash"]) == 15


def test_a_bake_can_be_made_again_from_itself(
    encoder: Path, lora: Path, roomy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every option of its own, to the same bytes."""
    out, again = roomy / "a.safetensors", roomy / "b.safetensors"
    recipe = encoder.with_name("recipe.toml")
    command = ["lora", "bake", str(encoder), str(lora), "-o", str(out), "-q"]
    assert run([*command, "--weights", "0.7", "--te-weights", "0.3", "--skip-unknown"]) == 0
    capsys.readouterr()
    assert run(["recipe", "of", str(out)]) == 0
    recipe.write_text(capsys.readouterr().out)
    assert run(["run", str(recipe), "-o", str(again), "-q"]) == 0
    assert again.read_bytes() == out.read_bytes()
    layer = numbers(again, f"{LAYER}.weight").float()
    assert torch.allclose(layer, 0.3 * 2.0 / 4 * product(lora), atol=1e-2)


def test_a_dry_run_tells_of_every_lora(
    encoder: Path, lora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = written(tmp_path / "other.safetensors", alpha=None)
    command = ["lora", "bake", str(encoder), str(lora), str(other), "-o", "out.safetensors"]
    assert (
        run([*command, "--weights", "0.8,0.5", "--te-weights", "0.3", "--dry-run", "--json"]) == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["dry_run"]
    assert not (tmp_path / "out.safetensors").exists()
    assert run([*command, "--weights", "0.8,0.5,0.1", "--dry-run"]) == 2
    assert "3" in capsys.readouterr().err
    assert run([*command, "--weights", "much", "--dry-run"]) == 2
    assert "--weights 0.5" in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_wrong_pairs_are_refused_with_a_sentence_that_helps(
    tmp_path: Path, lora: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_sparse(tmp_path / "model.safetensors", "sd15-fp16-pruned")
    wrong = write_sparse(tmp_path / "wrong.safetensors", "lora-lcm-sdxl-r64")
    out = ["-o", str(tmp_path / "out.safetensors"), "--lang", lang, "--no-hash"]
    assert run(["lora", "bake", str(model), str(wrong), *out]) == 13
    assert "sdxl" in capsys.readouterr().err
    assert run(["lora", "bake", str(lora), str(lora), *out]) == 13
    assert "LoRA" in capsys.readouterr().err
    assert run(["lora", "bake", str(model), str(model), *out]) == 13
    assert run(["lora", "convert", str(model), "--to", "kohya", *out]) == 13
    assert not (tmp_path / "out.safetensors").exists()


def test_strangers_are_left_out_where_that_is_asked_for(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lora = written(tmp_path / "odd.safetensors", None, **{"some.thing": torch.zeros(3)})
    command = ["lora", "bake", str(encoder), str(lora), "-o", "out.safetensors", "--dry-run"]
    assert run(command) == 13
    assert "some.thing" in capsys.readouterr().err
    assert run([*command, "--skip-unknown"]) == 0
    assert "some.thing" in capsys.readouterr().out


def test_a_conversion_keeps_every_number_and_what_was_said(
    lora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, back = tmp_path / "there.safetensors", tmp_path / "back.safetensors"
    options = ["--architecture", "sd1"]
    assert run(["lora", "convert", str(lora), "--to", "diffusers", "-o", str(there), *options]) == 0
    printed = capsys.readouterr().out
    assert "alpha" in printed
    assert set(load_file(there)) == {f"text_encoder.{LAYER}.lora_{end}.weight" for end in "AB"}
    assert run(["lora", "convert", str(there), "--to", "kohya", "-o", str(back), *options]) == 0
    one, other = load_file(lora), load_file(back)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    with safe_open(back, "pt") as file:
        said = file.metadata()
    assert said["ss_network_dim"] == "4"
    assert said["sshs_model_hash"] == said["modelspec.hash_sha256"].removeprefix("0x") != "0" * 64
    assert "lora_adapter_metadata" not in said
    assert [step["verb"] for step in json.loads(said["kanna.history"])] == ["lora convert"] * 2


def test_a_base_that_nobody_can_tell_must_be_said(
    lora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["lora", "convert", str(lora), "--to", "kohya", "-o", str(tmp_path / "o.safetensors")]
    assert run(command) == 13
    assert "--architecture" in capsys.readouterr().err
    assert run([*command, "--architecture", "nothing"]) == 2
    assert run([*command, "--architecture", "sdxl", "--dtype", "fp16", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dialect"] == "kohya"
    assert document["kinds"] == {"lora": 1}
    tensors = load_file(tmp_path / "o.safetensors")
    name = f"lora_te1_{LAYER.replace('.', '_')}"
    assert tensors[f"{name}.lora_up.weight"].dtype is torch.float16
    assert tensors[f"{name}.alpha"] == 2.0
