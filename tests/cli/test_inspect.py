"""`kanna inspect`, as a person and as a script meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from containers import safetensors_bytes, small
from kanna.cli import run
from kanna.demo import component_tensors, write_checkpoint, write_pieces
from kanna.formats.layout import arrange

# DESIGN of the identity document: these keys come first and in this order.
KEYS = [
    "path", "size", "container", "kind", "architecture", "variant", "variant_candidates", "certainty",
    "layout", "prediction", "dtype", "quantization", "parts", "ema", "vae", "position_ids", "junk",
    "unrecognised", "missing_parts", "markers", "metadata", "evidence", "findings",
]  # fmt: skip


def sparse(path: Path, row: str, prefix: str = "", **metadata: str) -> Path:
    """A file of full size with real names and shapes, whose data is a hole."""
    specs = [(t.name, t.dtype, t.shape) for t in component_tensors(prefix, row, seed=0)]
    layout = arrange("safetensors", specs, metadata=metadata, digest_fields={}, extras={})
    write_pieces(path, layout.size, layout.blocks("", ()))
    return path


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    run(["inspect", "--json", *argv])
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inspect") / "model.ckpt"
    write_checkpoint(path, full=False)
    return path


def test_the_document_has_the_promised_keys_in_order(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, str(checkpoint))
    assert list(found)[: len(KEYS)] == KEYS
    assert (found["kind"], found["architecture"], found["certainty"]) == (
        "checkpoint",
        "sd1",
        "certain",
    )
    assert found["container"] == "ckpt-zip"
    assert found["position_ids"]["state"] == "damaged"
    assert found["ema"]["complete"] is True
    assert [part["role"] for part in found["parts"]] == ["diffusion_model", "vae", "text_encoder"]
    assert all(part["complete"] for part in found["parts"])


def test_the_report_says_it_in_both_languages(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["inspect", str(checkpoint)])
    english = capsys.readouterr().out
    assert "Stable Diffusion 1 checkpoint" in english
    assert "3, 6–7, 9" in english
    run(["inspect", str(checkpoint), "--lang", "ja"])
    japanese = capsys.readouterr().out
    assert "拡散モデル本体" in japanese
    assert len(japanese.splitlines()) == len(english.splitlines())


def test_what_lies_beside_the_tensors_is_shown(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert document(capsys, str(checkpoint))["extras"]["global_step"] == 470000
    run(["inspect", "-v", str(checkpoint)])
    assert "global_step = 470000" in capsys.readouterr().out


def test_several_files_make_a_list_and_a_broken_one_does_not_stop_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = sparse(tmp_path / "vae.safetensors", "vae-kl-f8-c4-ldm")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"<!DOCTYPE html><html></html>")
    code = run(["inspect", "--json", str(broken), str(good)])
    found = json.loads(capsys.readouterr().out)
    assert code == 10
    assert found[0]["error"]["exit"] == 10
    assert found[1]["kind"] == "vae"


def test_two_kinds_of_failure_end_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"")
    assert run(["inspect", str(broken), str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.count("error:") == 2


def test_hostile_names_cannot_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evil.safetensors"
    path.write_bytes(small("\x1b[31mred", "a\rb", "\u202egnp.exe", "line\nbreak"))
    run(["inspect", "-v", str(path)])
    shown = capsys.readouterr().out
    assert not {"\x1b", "\r", "\u202e"} & set(shown)
    assert "\\x1b[31mred" in shown


def test_lone_surrogates_in_metadata_do_not_break_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes({"w": ("F32", (1,), b"\0" * 4)}, {"title": "日本語"}))
    assert document(capsys, str(path))["metadata"] == {"title": "日本語"}


def test_an_unknown_file_is_called_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(small("somebodys.weight"))
    found = document(capsys, str(path))
    assert (found["kind"], found["architecture"]) == ("unknown", None)
    assert run(["inspect", str(path)]) == 0


def test_neither_torch_nor_numpy_is_loaded_and_memory_stays_small(checkpoint: Path) -> None:
    code = (
        "import sys; from kanna.cli import run\n"
        "assert run(sys.argv[1:]) == 0\n"
        "print(sorted({'torch', 'numpy', 'rich', 'pickle'} & set(sys.modules)))\n"
        "status = open('/proc/self/status').read()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) < 40_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", "-q", str(checkpoint)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["[]", "True"]


def test_comparing_the_ema_reads_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sparse(tmp_path / "x.safetensors", "sd1-unet-ldm", "model.diffusion_model.")
    assert document(capsys, str(path), "--compare-ema")["ema"]["equal_to_model"] is None
