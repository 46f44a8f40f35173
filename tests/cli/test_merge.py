"""`kanna merge` as people use it: small files that are written, and full-size ones without numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from kanna import api
from kanna.cli import run
from kanna.errors import Incompatible, Incomplete
from merge_files import header, numbers
from model_headers import headers
from sparse import write_sparse

TAESD = "vae-taesd-decoder"


def write(path: Path, seed: int) -> Path:
    """A small VAE of real layout."""
    model = header(TAESD, seed)
    save_file({name: numbers(tensor).half() for name, tensor in model.items()}, path)
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("models")
    return [str(write(folder / f"{name}.safetensors", n)) for n, name in enumerate("ABC")]


def metadata(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        found: dict[str, str] = file.metadata()
        return found


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_weighted_sum_is_written_and_told(
    models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.safetensors"
    assert run(["merge", "weighted-sum", *models[:2], "-a", "0.3", "-o", str(out)]) == 0
    text = capsys.readouterr().out
    assert "merged  67" in text
    assert "alpha = 0.3" in text
    a, b, merged = (load_file(path) for path in (models[0], models[1], out))
    for name, tensor in merged.items():
        wanted = 0.7 * a[name].double() + 0.3 * b[name].double()
        assert torch.allclose(tensor.double(), wanted, rtol=2**-11, atol=2**-24)


def test_the_output_carries_its_recipe(models: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    assert run(["merge", "weighted-sum", *models[:2], "-a", "0.3", "-o", str(out), "-q"]) == 0
    told = metadata(out)
    assert "alpha = 0.3" in told["kanna.recipe"]
    assert json.loads(told["sd_merge_recipe"])["interp_method"] == "Weighted sum"
    digests = list(json.loads(told["sd_merge_models"]))
    assert len(digests) == 2
    assert all(digest in told["kanna.recipe"] for digest in digests)
    assert told["modelspec.merged_from"] == "A, B"
    assert str(tmp_path) not in json.dumps(told)


def test_without_hashes_nothing_is_hashed(
    models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = str(write(tmp_path / "fresh.safetensors", 9))
    out = tmp_path / "out.safetensors"
    command = ["merge", "weighted-sum", fresh, models[1], "-a", "0.5", "-o", str(out), "--no-hash"]
    assert run([*command, "--json"]) == 0
    document = printed(capsys)
    assert document["sources"][0]["sha256"] is None
    assert document["result"]["data_sha256"] is None


@pytest.mark.parametrize(
    ("method", "given", "models_of", "base"),
    [
        ("add-difference", "ABC", ["a", "b"], "c"),
        ("sum-twice", "ABC", ["a", "b", "c"], None),
        ("train-difference", "ABC", ["a", "b"], "c"),
        ("weighted-sum", "ABC", ["a", "b", "c"], None),
    ],
)
def test_the_last_model_is_the_base_where_one_is_needed(
    method: str, given: str, models_of: list[str], base: str | None, models: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert len(given) == len(models)
    assert run(["merge", method, *models, "-o", "x.safetensors", "--dry-run", "--json"]) == 0
    (step,) = printed(capsys)["steps"]
    assert (step["models"], step["base"]) == (models_of, base)


def test_methods_of_any_number_of_models_want_their_base_named(
    models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["merge", "ties", *models, "-o", "x.safetensors"]) == 2
    assert "--base" in capsys.readouterr().err
    command = ["merge", "ties", *models[:2], "--base", models[2], "--weights", "0.6,0.4"]
    more = ["--set", "density=0.4", "--seed", "7", "-o", "x.safetensors", "--dry-run", "--json"]
    assert run([*command, *more]) == 0
    (step,) = printed(capsys)["steps"]
    assert step["parameters"]["weights"] == [0.6, 0.4]
    assert step["parameters"]["density"] == 0.4
    assert step["seed"] == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["weighted-sun", "A", "B"], "weighted-sum"),
        (["slerp", "A"], "2 models"),
        (["slerp", "A", "B", "C"], "2 models"),
        (["weighted-sum", "A", "B", "--base", "C"], "no base"),
        (["weighted-sum", "A", "B", "-a", "9"], "between"),
        (["A", "B"], "comes first"),
        (["weighted-sum", "A"], "only one"),
        (["weighted-sum", "A", "B", "-a", "2x"], "--alpha takes a number."),
        (["weighted-sum", "A", "B", "--seed", "x"], "--seed takes a whole number."),
        (["weighted-sum", "A", "B", "--threads", "0"], "from 1 to 64"),
        (["weighted-sum", "A", "B", "--weights", "a,b"], "a,b"),
        (["weighted-sum", "A", "B", "--set", "alpha"], "--set alpha=0.3"),
        (["weighted-sum", "A", "B", "--set", "models=1"], "alpha, weights, normalize"),
        (["weighted-sum", "A", "B", "--set", "gamma=1"], "gamma"),
        (["model-stock", "A", "B", "--base", "C", "-a", "1"], "--alpha"),
        (["weighted-sum", "A", "B", "--block-method", "ties"], "IN*=ties"),
        (["weighted-sum", "A", "B", "--compat", "a1112"], "a1111"),
    ],
)
def test_what_makes_no_sense_is_told(
    words: list[str], said: str, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = dict(zip("ABC", models, strict=True))
    assert run(["merge", *(paths.get(word, word) for word in words), "-o", "x.safetensors"]) == 2
    assert said in capsys.readouterr().err


def test_wrong_pairs_cost_no_time_and_name_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = str(write_sparse(tmp_path / "one.safetensors", "sdxl-base-fp16"))
    two = str(write_sparse(tmp_path / "two.safetensors", "sd15-fp16-pruned"))
    lora = str(write_sparse(tmp_path / "lora.safetensors", "lora-kohya-sd1-r128"))
    command = ["merge", "weighted-sum", "-o", str(tmp_path / "x.safetensors")]
    assert run([*command, one, two]) == 13
    assert "Stable Diffusion XL" in capsys.readouterr().err
    assert run([*command, two, lora]) == 13
    assert "kanna lora bake" in capsys.readouterr().err
    assert not (tmp_path / "x.safetensors").exists()


def test_a_full_size_plan_tells_of_blocks_and_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = str(write_sparse(tmp_path / "one.safetensors", "sdxl-base-fp16"))
    two = str(write_sparse(tmp_path / "two.safetensors", "sdxl-finetune-fp16"))
    command = ["merge", "weighted-sum", one, two, "-a", "0.3", "--blocks", "IN00-05=0.2, OUT*=0.7"]
    command += ["-o", str(tmp_path / "x.safetensors"), "--dry-run"]
    assert run(command) == 0
    text = capsys.readouterr().out
    assert "IN00–IN05 0.2" in text
    assert "OUT00–OUT08 0.7" in text
    assert "VAE 248" in text
    assert run([*command, "--json"]) == 0
    document = printed(capsys)
    assert document["blocks"]["mix.alpha"]["OUT03"] == 0.7
    assert document["memory"] < 80e6
    assert document["kept"] == {"vae": 248, "position_ids": 1, "buffer": 1}
    assert document["merged"] + sum(document["kept"].values()) == document["tensors"] == 2515
    assert run([*command, "--lang", "ja"]) == 0
    assert "マージ" in capsys.readouterr().out


def test_a_checkpoint_of_pickles_meets_safetensors(
    models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pickled, out = tmp_path / "B.ckpt", tmp_path / "out.ckpt"
    torch.save({"state_dict": load_file(models[1])}, pickled)
    command = ["merge", "weighted-sum", models[0], str(pickled), "-a", "1", "-o", str(out)]
    assert run([*command, "--json"]) == 0
    assert printed(capsys)["container"] == "ckpt"
    merged = torch.load(out, weights_only=True)["state_dict"]
    assert all(torch.equal(merged[name], one) for name, one in load_file(models[1]).items())


def test_another_dtype_is_rounded_to_at_once(models: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    command = ["merge", "weighted-sum", *models[:2], "-a", "0.3", "-o", str(out), "-q"]
    assert run([*command, "--dtype", "fp32"]) == 0
    a, b = load_file(models[0]), load_file(models[1])
    for name, tensor in load_file(out).items():
        wanted = 0.7 * a[name].double() + 0.3 * b[name].double()
        assert tensor.dtype == torch.float32
        assert torch.allclose(tensor.double(), wanted, rtol=0, atol=1e-7)


def test_a_folder_gets_a_name_of_its_models(models: list[str], tmp_path: Path) -> None:
    assert run(["merge", "slerp", *models[:2], "-o", f"{tmp_path}/out/", "-q"]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["A-B-slerp.safetensors"]
    assert run(["merge", "slerp", *models[:2], "-o", f"{tmp_path}/out/", "-q"]) == 15


def test_a_sweep_makes_one_output_for_each_number(
    models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mix-{alpha}.safetensors"
    command = ["merge", "weighted-sum", *models[:2], "-o", str(out), "--sweep", "alpha=0:1:0.5"]
    assert run([*command, "--json"]) == 0
    made = [Path(one["output"]).name for one in printed(capsys)["outputs"]]
    assert made == ["mix-0.safetensors", "mix-0.5.safetensors", "mix-1.safetensors"]
    for name, model in zip(("mix-0", "mix-1"), models[:2], strict=True):
        ends = load_file(tmp_path / f"{name}.safetensors")
        assert all(torch.equal(ends[key], one) for key, one in load_file(model).items())


def test_an_input_is_never_overwritten(
    models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["merge", "weighted-sum", *models[:2], "-o", models[0], "--force"]) == 2
    assert "inputs" in capsys.readouterr().err


def test_the_numbers_of_threads_changes_no_byte(models: list[str], tmp_path: Path) -> None:
    made = []
    for threads in ("1", "3"):
        out = tmp_path / "out.safetensors"
        command = ["merge", "weighted-sum", *models, "--weights", "0.5,0.3,0.2", "-o", str(out)]
        assert run([*command, "--threads", threads, "--force", "-q"]) == 0
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_files_are_held_to_the_hashes_of_a_recipe(models: list[str], tmp_path: Path) -> None:
    asked = api.merge_recipe("weighted-sum", models[:2], alpha=0.5)
    other = replace(asked.sources["b"], sha256="0" * 64)
    with pytest.raises(Incompatible) as refused:
        api.merge(replace(asked, sources={**asked.sources, "b": other}), tmp_path / "x.safetensors")
    assert refused.value.key == "merge.other_file"
    nowhere = replace(other, path=None)
    with pytest.raises(Incomplete) as missing:
        api.merge(
            replace(asked, sources={**asked.sources, "b": nowhere}), tmp_path / "x.safetensors"
        )
    assert missing.value.key == "merge.not_found"
    assert not list(tmp_path.iterdir())


# the repair of what merges did before 2023

CLIP = "te-clip-l-fp16"
IDS = "position_ids"


@pytest.fixture(scope="module")
def old_merge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A text encoder as A1111's weighted sum left it: ids that are floats, some too small."""
    tensors = {
        name: torch.zeros(one.shape, dtype=torch.float16)
        for name, one in headers()[CLIP].tensors.items()
    }
    clean = torch.arange(77).reshape(1, 77)
    name = next((key for key in tensors if key.endswith(IDS)), f"text_model.embeddings.{IDS}")
    tensors[name] = 0.9 * clean.float() + 0.1 * clean.float()
    path = tmp_path_factory.mktemp("old") / "old.safetensors"
    save_file(tensors, path)
    yield path
    path.unlink()


def test_old_damage_is_found_and_mended_and_not_merged_on(
    old_merge: Path, roomy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["check", str(old_merge), "--json"])
    document = printed(capsys)
    assert "position" in json.dumps(document)
    fixed, merged = roomy / "fixed.safetensors", roomy / "merged.safetensors"
    assert run(["fix", str(old_merge), "-o", str(fixed), "-q"]) in {0, 1}
    command = ["merge", "weighted-sum", str(old_merge), str(old_merge), "-a", "0.1", "--no-hash"]
    assert run([*command, "-o", str(merged), "-q"]) == 0
    for path in (fixed, merged):
        with safe_open(path, "pt") as file:
            name = next(key for key in file.keys() if key.endswith(IDS))  # noqa: SIM118
            found = file.get_tensor(name)
        assert found.dtype == torch.int64
        assert torch.equal(found, torch.arange(77).reshape(1, 77))
