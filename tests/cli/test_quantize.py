"""`kanna quantize` on a piece of a real model, read back with other people's libraries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from kanna import api
from kanna.cli import run
from kanna.errors import UsageError
from model_headers import headers

UNET = "model.diffusion_model."
PIECES = (
    f"{UNET}input_blocks.1.",
    f"{UNET}time_embed",
    f"{UNET}out.",
    "first_stage_model.decoder.conv_out",
)
QUERY = f"{UNET}input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few layers of SD 1.5: enough to be known by."""
    generator = torch.Generator().manual_seed(5)
    tensors = {
        name: (torch.randn(tensor.shape, generator=generator) * 0.05).half()
        for name, tensor in headers()["sd15-fp16-pruned"].tensors.items()
        if name.startswith((*PIECES, f"{UNET}input_blocks.0."))
    }
    path = tmp_path_factory.mktemp("model") / "sd15.safetensors"
    save_file(tensors, path, {"format": "pt", "title": "a piece"})
    return path


def quantized(model: Path, folder: Path, *given: str) -> Path:
    assert run(["quantize", str(model), "-o", f"{folder}/", "-q", *given]) == 0
    return max(folder.glob("*.*"), key=lambda path: path.stat().st_mtime_ns)


def test_there_and_back_again(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = quantized(model, tmp_path, "--to", "nf4", "--nested")
    assert small.name == "sd15-nf4.safetensors"
    assert small.stat().st_size < 0.8 * model.stat().st_size
    assert (
        run(["quantize", str(small), "--to", "fp16", "-o", str(tmp_path / "back.safetensors")]) == 0
    )
    assert "does not come back" in capsys.readouterr().out
    before, after = load_file(model), load_file(tmp_path / "back.safetensors")
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert (after[name].dtype, after[name].shape) == (tensor.dtype, tensor.shape)
        loss = (after[name].float() - tensor.float()).norm() / tensor.float().norm()
        assert loss < 0.11
        if not name.startswith(f"{UNET}input_blocks.1.") or tensor.ndim != 2:
            assert torch.equal(after[name], tensor), name


def test_one_document_tells_of_plan_errors_and_picture(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, picture = tmp_path / "out.safetensors", tmp_path / "errors.svg"
    assert (
        run(
            [
                "quantize",
                str(model),
                "--to",
                "fp8_scaled",
                "-o",
                str(out),
                "--svg",
                str(picture),
                "--json",
            ]
        )
        == 0
    )
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (document["dry_run"], document["not_finite"]) == (False, {})
    assert document["picture"] == str(picture)
    assert picture.read_text().startswith("<svg")
    written, before = load_file(out), load_file(model)
    back = written[QUERY].float() * written[QUERY.replace("weight", "weight_scale")]
    change, size = (back - before[QUERY].float()).double(), before[QUERY].double()
    worst = {row["name"]: row for row in document["errors"]["worst"]}
    assert QUERY in worst
    assert worst[QUERY]["relative_rms"] == pytest.approx(float(change.norm() / size.norm()))
    assert worst[QUERY]["max_error"] == pytest.approx(float(change.abs().max()))
    assert [row["name"] for row in document["errors"]["blocks"]] == ["input_blocks.1"]


def test_a_dry_run_writes_nothing(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--to", "nf4", "-o", str(tmp_path / "x.safetensors"), "--svg", str(tmp_path / "x.svg")]
    assert run(["quantize", str(model), *given, "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["result"], document["errors"], document["picture"]) == (None, None, None)
    assert not list(tmp_path.iterdir())


def test_a_weight_that_is_kept_stays_bit_for_bit(model: Path, tmp_path: Path) -> None:
    out = quantized(model, tmp_path, "--to", "FP8_E4M3", "--keep", "input_blocks.*.attn1")
    written, before = load_file(out), load_file(model)
    assert torch.equal(written[QUERY], before[QUERY])
    other = QUERY.replace("attn1", "attn2")
    assert torch.equal(
        written[other].view(torch.uint8), before[other].to(torch.float8_e4m3fn).view(torch.uint8)
    )


def test_numbers_that_are_none_are_told_and_four_bits_refuse_them(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = load_file(model)
    tensors[QUERY][3, 4] = float("nan")
    save_file(tensors, tmp_path / "nan.safetensors")
    out = str(tmp_path / "out.safetensors")
    assert run(["quantize", str(tmp_path / "nan.safetensors"), "--to", "nf4", "-o", out]) == 14
    assert (
        run(["quantize", str(tmp_path / "nan.safetensors"), "--to", "fp8_scaled", "-o", out]) == 0
    )
    assert f"{QUERY}: values that are NaN or Inf: 1." in capsys.readouterr().out


def test_one_broken_file_does_not_stop_the_others(model: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"nonsense" * 9)
    given = [
        str(tmp_path / "broken.safetensors"),
        str(model),
        "--to",
        "q8_0",
        "-o",
        str(tmp_path / "out"),
    ]
    assert run(["quantize", *given, "--svg", str(tmp_path / "pictures")]) == 10
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sd15-q8_0.gguf"]
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["sd15-q8_0.svg"]


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        (["--to", "q4_k_m"], 2, "stable-diffusion.cpp"), (["--to", "int4"], 2, "fp8_scaled"),
        (["--to", "fp16"], 13, "not quantised"), (["--to", "nf4", "-o", "x.ckpt"], 2, "x.ckpt"),
        (["--to", "nf4", "--form", "old"], 2, "--form"), ([], 2, "--to is missing"),
        (["--to", "q8_0", "-o", "x.safetensors"], 2, "End the name with .gguf"),
    ],
)  # fmt: skip
def test_wrong_requests_are_explained(
    model: Path, given: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["quantize", str(model), *given]) == code
    assert text in capsys.readouterr().err


def test_a_picture_that_is_there_is_not_replaced(model: Path, tmp_path: Path) -> None:
    picture = tmp_path / "mine.svg"
    picture.write_text("mine")
    out = tmp_path / "out.safetensors"
    given = [
        "quantize",
        str(model),
        "--to",
        "fp8_e4m3",
        "-o",
        str(out),
        "--svg",
        str(picture),
        "-q",
    ]
    assert run(given) == 15
    assert not out.exists()
    assert run([*given, "--force"]) == 0
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("where", ["sd15.safetensors", "other.safetensors", "out.safetensors"])
def test_a_picture_never_replaces_a_model(
    model: Path, tmp_path: Path, where: str, force: list[str]
) -> None:
    names = ("sd15.safetensors", "other.safetensors")
    for name in names:
        (tmp_path / name).write_bytes(model.read_bytes())
    out, picture = str(tmp_path / "out.safetensors"), str(tmp_path / where)
    given = ["--to", "nf4", "-q", "--svg", picture, *force]
    if where == "other.safetensors":
        files = [str(tmp_path / name) for name in names]
        options = api.RunOptions(force=bool(force))
        with pytest.raises(UsageError):
            api.quantize(
                files[0], out, api.QuantizeOptions(to="nf4"), svg=picture, protected=files,
                run_options=options,
            )  # fmt: skip
    else:
        assert run(["quantize", str(tmp_path / names[0]), "-o", out, *given]) == 2
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert all((tmp_path / name).read_bytes() == model.read_bytes() for name in names)


def test_what_was_measured_of_inputs_outlives_new_scales_and_no_other_format(
    model: Path, tmp_path: Path
) -> None:
    scaled = load_file(quantized(model, tmp_path / "1", "--to", "fp8_scaled"))
    layer, scale = QUERY.removesuffix(".weight"), torch.tensor(0.25)
    row = {"format": "float8_e4m3fn", "full_precision_matrix_mult": True}
    scaled[f"{layer}.input_scale"] = scale
    scaled[f"{layer}.comfy_quant"] = torch.frombuffer(
        bytearray(json.dumps(row).encode()), dtype=torch.uint8
    )
    save_file(scaled, tmp_path / "in.safetensors")
    old = quantized(tmp_path / "in.safetensors", tmp_path / "2", "--to", "fp8_scaled",
                    "--form", "old")  # fmt: skip
    written = load_file(old)
    assert written[f"{layer}.scale_input"] == scale
    assert written[f"{UNET}scaled_fp8"].shape == (2,)
    assert len([name for name in written if "scale_input" in name]) == 1
    again = quantized(old, tmp_path / "3", "--to", "fp8_scaled")
    written = load_file(again)
    assert written[f"{layer}.input_scale"] == scale
    assert json.loads(bytes(written[f"{layer}.comfy_quant"].numpy())) == row
    with safe_open(again, "pt") as file:
        listed = json.loads(file.metadata()["_quantization_metadata"])["layers"]
    assert listed[layer] == row
    assert torch.equal(written[QUERY].float(), scaled[QUERY].float())
    for word in ("fp8_scaled_e5m2", "nf4", "fp8_e4m3"):
        left = load_file(quantized(again, tmp_path / word, "--to", word))
        assert not [name for name in left if "input" in name.rpartition(".")[2]]


def test_the_function_says_what_the_verb_says(model: Path, tmp_path: Path) -> None:
    made = api.quantize(model, tmp_path / "out.safetensors", api.QuantizeOptions(to="fp4"))
    assert made.report is not None
    assert made.conversion.result is not None
    assert made.report.overall.tensors == len(made.conversion.result.losses)
    assert made.picture is None
