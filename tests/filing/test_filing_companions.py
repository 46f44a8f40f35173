"""Which files belong to a model: every ending of the table, and nothing that only looks like it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from containers import small
from kanna.api import FilingPlan, plan_filing
from kanna.filing.companions import OF_NAME, OF_STEM, Listing, belongings, stem_of

STRANGERS = [
    "model-inpainting.yaml", "model-inpainting.safetensors", "model_2.png", "models.txt", "model.py",
    "model.safetensors.bak", "model.v2.yaml", "xmodel.yaml", "model.preview.one.png", "model",
]  # fmt: skip


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(small("w") if name.endswith(".safetensors") else b"x")
    return folder


def found(folder: Path, name: str) -> dict[str, str]:
    return {one.name: one.role for one in belongings(name, Listing.of(folder))}


def planned(verb: str, *paths: Path, to: Path | None = None) -> dict[str, str]:
    """What happens to each file, by name."""
    plan: FilingPlan = plan_filing(verb, paths, to=to)  # type: ignore[arg-type]
    assert plan.refused == ()
    steps = [step for one in plan.sets for step in one.steps if step.source]
    assert len({step.source for step in steps}) == len(steps)
    return {step.source.name: step.action for step in steps if step.source}


def test_every_ending_of_the_table_is_a_companion(tmp_path: Path) -> None:
    expected = {f"model{ending}": role for ending, role in OF_STEM.items()}
    expected |= {f"model.ckpt{ending}": role for ending, role in OF_NAME.items()}
    expected |= {"model.preview.2.png": "preview", "model.YAML": "config", "model.PNG": "preview"}
    touch(tmp_path, "model.ckpt", *expected, *STRANGERS)
    assert found(tmp_path, "model.ckpt") == expected


def test_folders_are_no_companions(tmp_path: Path) -> None:
    touch(tmp_path, "model.safetensors")
    (tmp_path / "model.txt").mkdir()
    assert found(tmp_path, "model.safetensors") == {}


def test_what_belongs_to_the_vae_of_a_model_belongs_to_the_model(tmp_path: Path) -> None:
    beside = ("model.vae.pt", "model.vae.pt.sha256", "model.vae.png")
    touch(tmp_path, "model.ckpt", *beside)
    assert set(found(tmp_path, "model.ckpt")) == set(beside)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("model.v1.5.ckpt", "model.v1.5"),
        ("モデル.SAFETENSORS", "モデル"),
        ("model.vae.pt", "model.vae"),
        ("model.safetensors.index.json", "model"),
        ("model.yaml", "model.yaml"),
        (".safetensors", ".safetensors"),
    ],
)
def test_a_stem_is_what_companions_begin_with(name: str, stem: str) -> None:
    assert stem_of(name) == stem


def test_of_two_models_of_one_stem_each_keeps_what_both_need(tmp_path: Path) -> None:
    old = touch(tmp_path / "old", "x.safetensors", "x.ckpt", "x.yaml", "x.ckpt.sha256")
    moved = planned("move", old / "x.ckpt", to=tmp_path / "new")
    assert moved == {"x.ckpt": "move", "x.yaml": "copy", "x.ckpt.sha256": "move"}
    assert planned("delete", old / "x.ckpt") == {
        "x.ckpt": "remove", "x.yaml": "leave", "x.ckpt.sha256": "remove"
    }  # fmt: skip
    assert planned("trash", old / "x.ckpt")["x.yaml"] == "leave"


def test_two_models_of_one_stem_that_go_together_take_everything_along(tmp_path: Path) -> None:
    old = touch(tmp_path / "old", "x.safetensors", "x.ckpt", "x.yaml")
    moved = planned("move", old / "x.ckpt", old / "x.safetensors", to=tmp_path / "new")
    assert set(moved.values()) == {"move"}


def test_a_companion_that_is_named_with_its_model_goes_once(tmp_path: Path) -> None:
    old = touch(tmp_path / "old", "x.safetensors", "x.vae.pt", "x.yaml", "y.txt")
    moved = planned("move", *sorted(old.iterdir()), to=tmp_path / "new")
    assert moved == dict.fromkeys(["x.safetensors", "x.vae.pt", "x.yaml", "y.txt"], "move")


def test_a_vae_that_leaves_its_model_is_told(tmp_path: Path) -> None:
    old = touch(tmp_path / "old", "x.ckpt", "x.vae.pt", "x.yaml")
    plan = plan_filing("move", [old / "x.vae.pt"], to=tmp_path / "new")
    assert [step.source for step in plan.sets[0].steps] == [old / "x.vae.pt"]
    assert [note.key for note in plan.sets[0].notes] == ["filing.vae_of"]


def test_shards_go_with_their_index(tmp_path: Path) -> None:
    shards = [f"x-0000{n}-of-00002.safetensors" for n in (1, 2)]
    old = touch(tmp_path / "old", *shards, f"{shards[0]}.sha256", "x.json")
    index = {"weight_map": {"a": shards[0], "b": shards[1]}}
    (old / "x.safetensors.index.json").write_text(json.dumps(index))
    moved = planned("move", old / "x.safetensors.index.json", to=tmp_path / "new")
    assert set(moved) == {path.name for path in old.iterdir()}


def test_the_settings_of_a_peft_lora_go_along(tmp_path: Path) -> None:
    old = touch(tmp_path / "old", "adapter_model.safetensors", "adapter_config.json", "other.json")
    moved = planned("move", old / "adapter_model.safetensors", to=tmp_path / "new")
    assert set(moved) == {"adapter_model.safetensors", "adapter_config.json"}
