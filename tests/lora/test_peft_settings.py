"""What PEFT keeps beside its tensors: alphas in adapter_config.json, names of adapters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from kanna.errors import FormatError, Incompatible
from kanna.formats import open_model
from kanna.identify import identify
from kanna.identify.adapter import PEFT_METADATA
from kanna.lora.reading import Contents, read
from lora_files import file_of, modules, random
from lora_pairs import saved

ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
CONFIG = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}


def pair(stem: str, rank: int = 4, adapter: str = "") -> dict[str, torch.Tensor]:
    """The two factors of a layer of SD1's UNet, 320 wide."""
    return {f"{stem}.lora_A{adapter}.weight": random(rank, 320, seed=1),
            f"{stem}.lora_B{adapter}.weight": random(320, rank, seed=2)}  # fmt: skip


def in_folder(folder: Path, config: object, tensors: dict[str, torch.Tensor]) -> Contents:
    """What is read of a LoRA beside such settings."""
    if config is not None:
        (folder / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    with open_model(saved(folder / "adapter_model.safetensors", tensors)) as model:
        return read(model, identify(model))


def keys(contents: Contents) -> list[tuple[str, bool]]:
    return [(note.key, note.warning) for note in contents.notes]


@pytest.mark.parametrize(
    ("more", "scale"),
    [
        ({}, 2.0),
        ({"use_rslora": True}, 4.0),
        ({"lora_alpha": 2.5}, 0.625),
        ({"alpha_pattern": {"to_q": 12}}, 3.0),
        ({"alpha_pattern": {"attn1.to_q": 12, "to_q": 20}}, 3.0),  # the first counts
        ({"alpha_pattern": {"to_q": 20, "attn1.to_q": 12}}, 5.0),
        ({"alpha_pattern": {"^to_q": 12, "o_q": 1, "attn2.to_q": 1}}, 2.0),
        ({"alpha_pattern": {f"^{ATTENTION}.to_q$": 1}}, 0.25),
        ({"r": 16, "rank_pattern": {"to_q": 4}}, 2.0),
    ],
)
def test_alpha_is_read_beside_the_file(
    tmp_path: Path, more: dict[str, object], scale: float
) -> None:
    found = in_folder(tmp_path, CONFIG | more, pair(f"base_model.model.{ATTENTION}.to_q"))
    (module,) = found.modules
    assert module.scale == pytest.approx(scale)
    assert keys(found) == [("lora.alpha_beside", False)]


def test_settings_of_other_ranks_are_those_of_another_lora(tmp_path: Path) -> None:
    found = in_folder(tmp_path, CONFIG | {"r": 8}, pair(f"base_model.model.{ATTENTION}.to_q"))
    assert found.modules[0].scale == 1
    assert keys(found) == [("lora.config_of_another", True), ("lora.alpha_assumed", True)]


def test_without_settings_alpha_is_said_to_be_assumed(tmp_path: Path) -> None:
    found = in_folder(tmp_path, None, pair(f"base_model.model.{ATTENTION}.to_q"))
    assert found.modules[0].scale == 1
    assert keys(found) == [("lora.alpha_assumed", True)]


def test_settings_beside_are_for_files_of_peft_only(tmp_path: Path) -> None:
    """A folder of downloads may hold anybody's adapter_config.json."""
    found = in_folder(tmp_path, CONFIG, pair(f"unet.{ATTENTION}.to_q"))
    assert found.modules[0].scale == 1
    assert keys(found) == [("lora.alpha_assumed", False)]


def test_the_files_own_metadata_come_first(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(CONFIG), "utf-8")
    file = file_of(pair(f"base_model.model.{ATTENTION}.to_q"), path=str(tmp_path / "x.safetensors"),
                   metadata={PEFT_METADATA: json.dumps({"r": 4, "lora_alpha": 1})})  # fmt: skip
    (module,) = modules(file)
    assert module.scale == 0.25
    assert read(file).notes == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"r": 4, "r": 5}', '{"lora_alpha": NaN}'])
def test_broken_settings_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "adapter_config.json").write_text(text, "utf-8")
    with pytest.raises(FormatError):
        in_folder(tmp_path, None, pair(f"base_model.model.{ATTENTION}.to_q"))


@pytest.mark.parametrize("pattern", [".*to_q", "(a+)+$", "to_[qk]", "a|b"])
def test_patterns_that_are_no_paths_are_refused(tmp_path: Path, pattern: str) -> None:
    config = CONFIG | {"alpha_pattern": {pattern: 3}}
    with pytest.raises(Incompatible) as caught:
        in_folder(tmp_path, config, pair(f"base_model.model.{ATTENTION}.to_q"))
    assert caught.value.key == "lora.pattern_unclear"


@pytest.mark.parametrize("adapter", ["default", "my-style", "weight", "0"])
def test_an_adapter_may_have_any_name(tmp_path: Path, adapter: str) -> None:
    stem = f"base_model.model.{ATTENTION}.to_q"
    tensors = pair(stem, adapter=f".{adapter}")
    tensors[f"{stem}.lora_magnitude_vector.{adapter}.weight"] = random(320)
    tensors[f"{stem}.lora_B.{adapter}.bias"] = random(320)
    with open_model(saved(tmp_path / "x.safetensors", tensors)) as model:
        identity = identify(model)
        (module,) = read(model, identity).modules
    assert identity.kind == "lora"
    assert not identity.unrecognised
    assert (module.path, module.rank, module.kind) == (f"{ATTENTION}.to_q", 4, "dora")
    assert set(module.pieces) == {"up", "down", "magnitude", "up_bias"}


def test_several_adapters_in_a_file_are_named(tmp_path: Path) -> None:
    tensors = pair(f"{ATTENTION}.to_q", adapter=".one") | pair(f"{ATTENTION}.to_k", adapter=".two")
    with (
        open_model(saved(tmp_path / "x.safetensors", tensors)) as model,
        pytest.raises(Incompatible) as caught,
    ):
        read(model, identify(model))
    assert caught.value.key == "lora.several_adapters"
    assert caught.value.values["names"] == "one, two"
