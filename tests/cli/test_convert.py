"""`kanna convert` on real files, read back with the libraries that people use."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from containers import safetensors_bytes
from kanna import api
from kanna.cli import run
from kanna.demo import component_tensors, write_vae
from kanna.dtypes import FP16
from kanna.engine import run as run_plan
from kanna.errors import UsageError
from kanna.formats import open_model
from kanna.formats.checkpoint import layout, pickle_vm
from kanna.hashing import component_digest
from kanna.model import TensorInfo
from kanna.plan import Output, Plan, WriteContainer

UNET, VAE = "model.diffusion_model.", "first_stage_model."
IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids"


def write(path: Path, tensors: list[TensorInfo], **settings: Any) -> Path:
    outputs = tuple(map(Output.of, tensors))
    container: WriteContainer = "ckpt" if path.suffix == ".ckpt" else "safetensors"
    run_plan(Plan(outputs=outputs, container=container, inputs=(), **settings), path)
    return path


@pytest.fixture
def taesd(tmp_path: Path) -> Path:
    """A whole model of a few megabytes."""
    tensors = list(component_tensors("", "vae-taesd-decoder-c4", seed=1))
    return write(tmp_path / "taesd.v1.5.safetensors", tensors, metadata={"title": "tiny"})


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_cast_equals_torchs_and_the_input_is_untouched(taesd: Path, tmp_path: Path) -> None:
    before = sha256(taesd)
    out = tmp_path / "out.safetensors"
    assert run(["convert", str(taesd), "--dtype", "fp16", "-o", str(out), "-q"]) == 0
    wanted = {name: tensor.half() for name, tensor in load_file(taesd).items()}
    found = load_file(out)
    assert set(found) == set(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert sha256(taesd) == before


def test_the_data_hash_in_the_metadata_is_that_of_the_data(taesd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    assert run(["convert", str(taesd), "-o", str(out), "-q", "--verify", "full"]) == 0
    raw = out.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    with safe_open(out, "pt") as file:
        metadata = file.metadata()
    assert metadata["modelspec.hash_sha256"] == "0x" + hashlib.sha256(raw[8 + length :]).hexdigest()
    assert metadata["title"] == "tiny"
    assert json.loads(metadata["kanna.history"])[0]["input"] == taesd.name


def test_a_ckpt_loads_with_weights_only_and_comes_back_byte_for_byte(
    taesd: Path, tmp_path: Path
) -> None:
    ckpt, back = tmp_path / "out.ckpt", tmp_path / "back.safetensors"
    assert run(["convert", str(taesd), "-o", str(ckpt), "-q"]) == 0
    loaded = torch.load(ckpt, weights_only=True)
    assert loaded["metadata"]["title"] == "tiny"
    wanted = load_file(taesd)
    assert all(torch.equal(loaded["state_dict"][name], wanted[name]) for name in wanted)
    assert run(["convert", str(ckpt), "-o", str(back), "-q"]) == 0
    with open_model(taesd) as first, open_model(back) as last:
        assert list(first) == list(last)
        assert all(first[name].read() == last[name].read() for name in first)


def test_the_suggested_name_keeps_its_dots_and_says_what_was_done(
    taesd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = taesd.parent / "new"
    assert run(["convert", str(taesd), "--for", "generation", "-o", f"{folder}/"]) == 0
    assert [path.name for path in folder.iterdir()] == ["taesd.v1.5-fp16-pruned.safetensors"]
    assert "→" in capsys.readouterr().out


def test_an_existing_output_is_not_replaced_unless_forced(taesd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"mine")
    assert run(["convert", str(taesd), "-o", str(out), "-q"]) == 15
    assert out.read_bytes() == b"mine"
    assert run(["convert", str(taesd), "-o", str(out), "-q", "--force"]) == 0
    assert len(load_file(out)) == len(load_file(taesd))


def test_the_input_cannot_be_the_output(taesd: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.safetensors"
    link.hardlink_to(taesd)
    before = sha256(taesd)
    for target in (taesd, link):
        assert run(["convert", str(taesd), "-o", str(target), "-q", "--force"]) == 2
    assert sha256(taesd) == before


def test_a_dry_run_tells_and_writes_nothing(
    taesd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(taesd.parent.iterdir())
    assert run(["convert", str(taesd), "--dtype", "bf16", "--dry-run"]) == 0
    assert "Nothing was written" in capsys.readouterr().out
    assert run(["convert", str(taesd), "--dtype", "bf16", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["dry_run"], plan["result"]) == (True, None)
    assert list(plan["dtypes"]) == ["bf16"]
    assert sorted(taesd.parent.iterdir()) == before


def test_many_inputs_one_summary_and_a_failure_stops_nobody(
    taesd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.ckpt"
    broken.write_bytes(b"PK\3\4 not really")
    out = tmp_path / "out"
    assert run(["convert", str(broken), str(taesd), "--dtype", "fp16", "-o", str(out)]) == 10
    assert [path.name for path in out.iterdir()] == ["taesd.v1.5-fp16.safetensors"]
    assert "1 converted, 1 failed" in capsys.readouterr().err


def test_names_without_any_ascii_stay_apart(taesd: Path, tmp_path: Path) -> None:
    cat, dog, out = tmp_path / "猫.safetensors", tmp_path / "犬.safetensors", tmp_path / "out"
    for path in (cat, dog):
        path.write_bytes(taesd.read_bytes())
    assert run(["convert", str(cat), str(dog), "-o", str(out), "--force", "-q"]) == 0
    assert len(list(out.iterdir())) == 2
    twin = tmp_path / "猫.ckpt"
    twin.write_bytes(taesd.read_bytes())
    assert run(["convert", str(cat), str(twin), "--force"]) == 2


@pytest.mark.parametrize("folder", [[], ["-o", "out"]])
def test_no_output_of_a_batch_replaces_an_input_or_another_output(
    taesd: Path, tmp_path: Path, folder: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name suggested for the first is that of the second."""
    monkeypatch.chdir(tmp_path)
    one, other = tmp_path / "a.safetensors", tmp_path / "a-fp16.safetensors"
    one.write_bytes(taesd.read_bytes())
    save_file({"mine": torch.ones(3)}, other)
    before = sha256(other)
    argv = ["convert", str(one), str(other), "--dtype", "fp16", "--force", "-q", *folder]
    assert run(argv) != 0
    assert sha256(other) == before
    made = list((tmp_path / "out").glob("*")) if folder else []
    assert all(len(load_file(path)) == len(load_file(one)) for path in made)


def test_the_suffix_chooses_the_container_for_scripts_too(taesd: Path, tmp_path: Path) -> None:
    api.convert(taesd, tmp_path / "x.ckpt", api.ConvertOptions())
    assert torch.load(tmp_path / "x.ckpt", weights_only=True)["state_dict"]
    for options in (
        api.ConvertOptions(ema="nonsense"),  # type: ignore[arg-type]
        api.ConvertOptions(dtype="fp12"),
        api.ConvertOptions(dtypes={"nose": "fp16"}),
        api.ConvertOptions(purpose="nonsense"),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError):
            api.convert(taesd, tmp_path / "y.safetensors", options)


def test_an_empty_name_is_no_name(taesd: Path) -> None:
    assert run(["convert", str(taesd), "-o", "", "-q"]) == 2


def test_a_ckpt_too_large_to_be_read_again_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "_DOUBTFUL", 1000)
    monkeypatch.setattr(pickle_vm, "MAX_OPCODES", 2000)
    many = tmp_path / "many.safetensors"
    entries = {f"layers.{n}.some.name.weight": ("F16", (0,), b"") for n in range(100)}
    many.write_bytes(safetensors_bytes(entries))
    assert run(["convert", str(many), "-o", str(tmp_path / "x.ckpt"), "--dry-run", "-q"]) == 13


def test_a_failed_conversion_takes_its_new_folder_along(tmp_path: Path) -> None:
    big, folder = tmp_path / "big.safetensors", tmp_path / "new"
    save_file({"too.big": torch.tensor([1e9])}, big)
    assert run(["convert", str(big), "--dtype", "fp16", "-o", f"{folder}/", "-q"]) == 14
    assert not folder.exists()


def test_a_dry_run_refuses_what_the_run_would(taesd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"mine")
    for more in ([], ["--dry-run"]):
        assert run(["convert", str(taesd), "-o", str(out), "-q", *more]) == 15
    assert run(["convert", str(taesd), "-o", str(tmp_path / "new") + "/", "-q", "--dry-run"]) == 0
    assert not (tmp_path / "new").exists()


def test_quiet_is_quiet(taesd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(taesd.read_bytes())
    assert run(["convert", str(taesd), str(other), "-o", str(tmp_path / "out"), "-q"]) == 0
    assert capsys.readouterr() == ("", "")


def test_an_output_name_that_no_disk_takes_is_an_error_in_words(
    taesd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["convert", str(taesd), "-o", str(tmp_path / f"{'x' * 300}.safetensors")]) != 0
    assert "error:" in capsys.readouterr().err


def test_two_inputs_of_one_name_are_refused_before_anything_is_written(
    taesd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / "TAESD.v1.5.ckpt"
    other.write_bytes(taesd.read_bytes())
    assert run(["convert", str(taesd), str(other), "-o", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
    assert "same output name" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["-o", "x.txt"], ["-o", "x.ckpt", "--to", "safetensors"]])
def test_a_name_that_does_not_fit_its_container_is_refused(
    taesd: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["convert", str(taesd), *arguments]) == 2
    assert "x." in capsys.readouterr().err


def test_values_that_overflow_are_named_and_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    big, out = tmp_path / "big.safetensors", tmp_path / "out.safetensors"
    save_file({"fine": torch.ones(4), "too.big": torch.tensor([1.0, 70000.0, -1e9])}, big)
    assert run(["convert", str(big), "--dtype", "fp16", "-o", str(out)]) == 14
    assert "too.big (2)" in capsys.readouterr().err
    assert not out.exists()
    assert run(["convert", str(big), "--dtype", "fp16", "-o", str(out), "--allow-overflow"]) == 0
    assert "too.big: 2 values did not fit" in capsys.readouterr().out
    assert torch.isinf(load_file(out)["too.big"]).sum() == 2


def test_integers_and_empty_tensors_come_through(tmp_path: Path) -> None:
    path, out = tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    tensors = {
        "v_pred": torch.zeros(0),
        "n": torch.arange(5),
        "b": torch.tensor([True]),
        "w": torch.ones(2),
    }
    save_file(tensors, path)
    assert run(["convert", str(path), "--dtype", "fp16", "-o", str(out), "-q"]) == 0
    found = load_file(out)
    assert (found["n"].dtype, found["b"].dtype, found["w"].dtype) == (
        torch.int64,
        torch.bool,
        torch.float16,
    )
    assert found["v_pred"].shape == (0,)


def test_broken_input_leaves_nothing_behind(tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(safetensors_bytes({"w": ("F32", (4,), b"\0" * 16)})[:-3])
    assert run(["convert", str(cut), "-o", str(tmp_path / "out.safetensors"), "-q"]) == 10
    assert list(tmp_path.iterdir()) == [cut]


def test_baking_a_vae_end_to_end(tmp_path: Path) -> None:
    """A checkpoint with a small piece of its UNet gets a VAE; the result is proved by digest."""
    unet = [t for t in component_tensors(UNET, "sd1-unet-ldm", seed=1) if t.nbytes < 1 << 18]
    unet += [
        t for t in component_tensors(UNET, "sd1-unet-ldm", seed=1)
        if t.name.endswith("input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight")
    ]  # fmt: skip
    encoder = [
        t for t in component_tensors("cond_stage_model.transformer.", "clip-l-hf", seed=2)
        if "layers.1" in t.name or t.nbytes < 1 << 16
    ]  # fmt: skip
    model = write(tmp_path / "model.ckpt", [*unet, *encoder], extras={"global_step": 7})
    vae, out = tmp_path / "vae.safetensors", tmp_path / "out.safetensors"
    write_vae(vae)
    command = [
        "convert",
        str(model),
        "--for",
        "generation",
        "--vae",
        str(vae),
        "-o",
        str(out),
        "-q",
    ]
    assert run(command) == 0
    with open_model(vae) as source, open_model(out) as result:
        inside = {n.removeprefix(VAE): t for n, t in result.items() if n.startswith(VAE)}
        assert {t.dtype for t in inside.values()} == {FP16}
        assert component_digest(inside, FP16) == component_digest(source, FP16)
        step = json.loads(result.metadata["kanna.history"])[-1]
    assert step["vae"]["source"] == "vae.safetensors"
    assert step["training"] == {"global_step": 7}


def test_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    vae, out = tmp_path / "vae.safetensors", tmp_path / "out.safetensors"
    write_vae(vae)
    code = (
        "import sys, signal, os\n"
        "from kanna.engine import stream\n"
        "old = stream.Stream.run\n"
        "def interrupted(self, tick):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return old(self, tick)\n"
        "stream.Stream.run = interrupted\n"
        "from kanna.cli import run\n"
        "sys.exit(run(sys.argv[1:]))"
    )
    argv = ["convert", str(vae), "--dtype", "fp16", "-o", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == [vae]


def test_a_folder_that_cannot_be_made_is_a_usage_error(taesd: Path) -> None:
    assert run(["convert", str(taesd), "-o", f"{taesd}/below/", "-q"]) == 2
