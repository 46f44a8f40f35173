"""What every merge method makes: a file that loads everywhere, is what A is, and can be made again.

A small model of real layout goes the whole way, on the command line. A full-size checkpoint, whose
tensors nobody could compute in a test, is planned: all its names, types and shapes, and some small
ones of its tensors as they are written.
"""

from __future__ import annotations

import io
import math
import shutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from kanna import api
from kanna.cli import run
from kanna.identify import identify
from kanna.identity import Identity
from kanna.merging.computing import Measuring
from kanna.merging.method import Method, Parameter, built_in
from kanna.merging.recipe import Recipe
from kanna.model import TensorInfo
from kanna.ops.merge import merge
from kanna.ops.merge_inputs import Opened
from kanna.plan import Plan
from kanna.views.given import Given
from merge_files import bytes_of, header, numbers
from merge_files import made as written

METHODS = list(built_in().values())
NAMES = "abcd"
IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids"
SCALE = "cond_stage_model.logit_scale"
COUNTING = torch.arange(77).reshape(1, 77)
SMALL = 1 << 12

every = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def sensible(parameter: Parameter) -> str | None:
    """A value for a parameter that would do nothing, or nothing interesting, by itself."""
    if parameter.name in {"detail_in", "contrast"}:
        return "2"
    if parameter.per_model:
        return "0.5"
    return "0.3" if parameter.name == "alpha" else None


def arguments(method: Method) -> list[str]:
    """The rest of a command: how many models, the base, a number for what needs one."""
    count = method.models or 2
    words = [f"{name}.safetensors" for name in NAMES[:count]]
    words += [] if method.base == "none" else ["--base", "d.safetensors"]
    given = {one.name: sensible(one) for one in method.parameters}
    if given.get("alpha") and given.get("weights"):
        del given["weights"]
    for name, value in given.items():
        words += ["--set", f"{name}={value}"] if value else []
    return [method.name, *words, "--seed", "7"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four VAEs, which carry ids and a scale besides."""
    return four("vae-taesd-decoder", tmp_path_factory.mktemp("models"))


def four(layout: str, folder: Path) -> Path:
    for seed, name in enumerate(NAMES, start=1):
        drawn = header(layout, seed)
        tensors = {key: numbers(tensor).half() for key, tensor in drawn.items()}
        tensors |= {IDS: COUNTING, SCALE: torch.tensor(4.6052 + seed)}
        save_file(tensors, folder / f"{name}.safetensors", {"format": "pt"})
    return folder


@pytest.fixture
def place(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(models)
    return tmp_path


def told(identity: Identity) -> dict[str, object]:
    """What a model is, less what any copy of it may differ in."""
    apart = {"path", "size", "metadata", "hashes"}
    return {key: value for key, value in identity.to_json().items() if key not in apart}


def document(path: Path) -> dict[str, object]:
    return told(api.inspect(path).identity)


def made(place: Path, method: Method, name: str, *more: str) -> Path:
    path = place / name
    assert run(["merge", *arguments(method), "-o", str(path), "-q", *more]) == 0
    return path


@every
def test_what_it_makes_is_what_its_first_model_is_and_can_be_made_again(
    method: Method, models: Path, place: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = made(place, method, "out.safetensors", "--threads", "1")
    tensors, lead = load_file(path), load_file("a.safetensors")
    assert list(tensors) == list(lead)
    assert all(torch.isfinite(one).all() for one in tensors.values())
    assert all(one.dtype == lead[name].dtype for name, one in tensors.items())
    changed = [name for name, one in tensors.items() if not torch.equal(one, lead[name])]
    assert bool(changed) == (method.name not in {"copy", "adjust"})
    assert document(path) == document(Path("a.safetensors"))
    assert torch.equal(tensors[IDS], COUNTING)
    assert torch.equal(tensors[SCALE], lead[SCALE])

    assert run(["recipe", "of", str(path)]) == 0
    recipe = io.BytesIO(capsys.readouterr().out.encode())
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    for number, name in enumerate(NAMES):
        shutil.copy(models / f"{name}.safetensors", elsewhere / f"other-{number}.safetensors")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(recipe))
    assert run(["run", "-", "-o", "out.safetensors", "--threads", "3", "-q"]) == 0
    assert Path("out.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["add-difference", "train-difference", "ties"])
def test_torch_and_diffusers_load_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        diffusers: Any = import_module("diffusers")  # has no types
        vae = diffusers.AutoencoderTiny()
    monkeypatch.chdir(four("vae-taesd-diffusers-f32", tmp_path))
    tensors = load_file(made(tmp_path, built_in()[name], "out.safetensors"))
    pickled = made(tmp_path, built_in()[name], "out.ckpt")
    loaded = torch.load(pickled, weights_only=True)["state_dict"]
    assert list(loaded) == list(tensors)
    assert all(torch.equal(loaded[key], one) for key, one in tensors.items())
    del loaded[IDS], loaded[SCALE]
    vae.load_state_dict(loaded, strict=True)


# the names, types and shapes of a full-size checkpoint


@pytest.fixture(scope="module")
def checkpoints() -> dict[str, Opened]:
    found = {name: header("sd15-fp16-sched", seed) for seed, name in enumerate(NAMES, start=1)}
    return {name: Opened(model=one, identity=identify(one)) for name, one in found.items()}


def recipe_of(method: Method) -> Recipe:
    """The same as on the command line."""
    words = arguments(method)
    files = [word for word in words[1:] if word.endswith(".safetensors")]
    base = files.pop() if "--base" in words else None
    settings = [word for word in words if "=" in word]
    return api.merge_recipe(method.name, files, base=base, settings=settings, seed=7)


def by_letter(recipe: Recipe, checkpoints: Mapping[str, Opened]) -> dict[str, Opened]:
    return {
        name: checkpoints[Path(source.path or "").stem] for name, source in recipe.sources.items()
    }


def shorten(plan: Plan) -> None:
    """Let the passes of a plan measure only the small ones among its tensors."""
    for one in plan.measurements:
        assert isinstance(one, Measuring)
        one._calls = [call for call in one._calls if call.tensors[0].numel <= SMALL]


@every
def test_a_checkpoint_stays_one_with_ids_that_count(
    method: Method, checkpoints: Mapping[str, Opened], tmp_path: Path
) -> None:
    asked = recipe_of(method)
    plan = merge(asked, by_letter(asked, checkpoints))
    shorten(plan.plan)
    lead = checkpoints["a"]
    small = [out.name for out in plan.plan.outputs if math.prod(out.shape) <= SMALL]
    there = written(plan, tmp_path, [IDS, *small[::8]])
    assert all(torch.isfinite(one).all() for one in there.values())
    assert torch.equal(there[IDS], COUNTING)
    tensors = {
        out.name: TensorInfo(out.name, out.dtype, out.shape, Given(bytes_of(there[out.name])))
        if out.name in there
        else replace(lead.model[out.name], dtype=out.dtype, shape=out.shape)
        for out in plan.plan.outputs
    }
    merged = replace(lead.model, tensors=tensors, metadata=plan.plan.metadata)
    assert told(identify(merged)) == told(lead.identity)
