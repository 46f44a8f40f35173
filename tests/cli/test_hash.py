"""`kanna hash` and `kanna which`, as a person and as a script meet them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from containers import small
from kanna.cli import run
from kanna.hashing.place import cache_path
from kanna.hashing.sidecars import sidecar_path

SHA256 = hashlib.sha256(small("w")).hexdigest()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    path.write_bytes(small("w"))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = run(list(argv))
    return code, capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    return json.loads(answer(capsys, *argv, "--json")[1])


def test_a_report_has_every_digest(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = answer(capsys, "hash", str(model))
    assert code == 0
    for word in (SHA256, SHA256[:10], "e3b0c442  means nothing", "AutoV3", "CRC32", "BLAKE3"):
        assert word in text
    assert "from the cache" in answer(capsys, "hash", str(model))[1]
    assert "from the cache" not in answer(capsys, "hash", "--no-cache", str(model))[1]


def test_the_document_is_the_documented_one(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "hash", str(model))
    assert list(found) == [
        "path", "size", "cached", "told", "sha256", "autov1", "autov1_means_something", "autov2",
        "autov3", "sha256_16", "data_sha256", "crc32", "blake3", "embedding_checksum", "known",
        "weights_known", "sidecar", "written", "parts",
    ]  # fmt: skip
    assert (found["sha256"], found["cached"], found["parts"]) == (SHA256, False, None)
    parts = document(capsys, "hash", "--parts", str(model))
    assert (parts["cached"], parts["parts"]) == (True, [])


def test_without_the_cache_nothing_is_kept(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "hash", "--no-cache", str(model))["sha256"] == SHA256
    assert not cache_path().exists()


def test_a_broken_file_does_not_stop_the_others(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["hash", "--json", str(tmp_path / "no"), str(model), str(model)])
    first, second, third = json.loads(capsys.readouterr().out)
    assert code == 3
    assert first["error"]["key"] == "disk.missing"
    assert second["sha256"] == third["sha256"] == SHA256


def test_a_sidecar_is_planned_written_and_checked(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = sidecar_path(model)
    assert (
        "would be written" in answer(capsys, "hash", "--write-sidecar", "--dry-run", str(model))[1]
    )
    assert not place.exists()
    assert answer(capsys, "hash", "--write-sidecar", str(model))[0] == 0
    assert place.read_text() == f"{SHA256}  {model.name}\n"
    assert answer(capsys, "hash", "--check", str(model)) == (
        0, f"{model}: the sidecar agrees\n",
    )  # fmt: skip


def test_a_check_reads_what_the_cache_believes_to_know(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, "hash", "--write-sidecar", str(model))
    before = model.stat()
    raw = bytearray(model.read_bytes())
    raw[-1] ^= 1  # a bit rots: size and times stay
    model.write_bytes(raw)
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert answer(capsys, "hash", str(model))[0] == 0
    code, text = answer(capsys, "hash", "--check", str(model))
    assert (code, "DIFFERS" in text) == (1, True)


def test_a_sidecar_that_differs_is_always_told(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sidecar_path(model).write_text("0" * 64)
    code, text = answer(capsys, "hash", str(model))
    assert (code, "differs: it says 000" in text) == (1, True)
    assert document(capsys, "hash", str(model))["sidecar"]["agrees"] is False
    assert answer(capsys, "hash", "--write-sidecar", str(model))[0] == 15
    assert answer(capsys, "hash", "--write-sidecar", "--force", str(model))[0] == 0
    assert document(capsys, "hash", str(model))["sidecar"]["agrees"] is True


def test_a_check_without_a_sidecar_says_so(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "hash", "--check", str(model)) == (3, "")
    sidecar_path(model).write_text(f"{'0' * 64}  a\n{'1' * 64}  b\n")
    assert answer(capsys, "hash", "--check", str(model))[0] == 3


def test_an_import_tells_what_it_left_out(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = {f"checkpoint/{model.name}": {"mtime": 1_600_000_000, "sha256": "a1" * 32},
               "vae": {"mtime": 1_600_000_000, "sha256": "b2" * 32}}  # fmt: skip
    cache = tmp_path / "cache.json"
    cache.write_text(json.dumps({"hashes": entries}))
    code, text = answer(capsys, "hash", "--import", str(cache), "--models", str(tmp_path), "-v")
    assert code == 0
    assert "1 hashes taken over" in text
    assert "all VAEs share this one entry" in text
    assert run(["which", "a1" * 32]) == 0


def test_nothing_to_do_is_a_slip(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hash"]) == 2
    assert "nothing to hash" in capsys.readouterr().err
    assert run(["hash", "--threads", "0", "x"]) == 2


def test_which_answers_and_says_when_it_cannot(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "sd-v1-4.ckpt" in answer(capsys, "which", "7460a6fa")[1]
    assert answer(capsys, "which", "ffffffff")[0] == 1
    assert run(["which", "no digest"]) == 2
    assert "neither a file nor a hash" in capsys.readouterr().err
    assert answer(capsys, "which", str(model))[0] == 1
    assert str(model) in answer(capsys, "which", SHA256[:10])[1]


def test_which_has_one_document_for_each_question(capsys: pytest.CaptureFixture[str]) -> None:
    one = document(capsys, "which", "ffa7b160")
    assert list(one) == ["asked", "digits", "found", "several", "hits", "notes"]
    assert (one["found"], one["several"], len(one["hits"])) == (True, True, 3)
    assert one["notes"][0]["key"] == "which.several_autov1"
    assert list(one["hits"][0]) == ["meaning", "exact", "part", "known", "file"]
    two = document(capsys, "which", "7460a6fa", "xyz")
    assert two[1]["error"]["key"] == "which.no_digest"


def test_names_of_strangers_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a\x1b[31m.ckpt"
    try:
        path.write_bytes(b"x")
    except OSError:
        pytest.skip("such names cannot be made here")
    answer(capsys, "hash", str(path))
    assert "\x1b" not in answer(capsys, "hash", str(path))[1]
    assert "\x1b" not in answer(capsys, "which", str(path))[1]


def test_the_models_of_a_folder_are_hashed(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = tmp_path / "sdxl" / "unet"
    part.mkdir(parents=True)
    (part / "config.json").write_text("{}")
    (part / "diffusion_pytorch_model.safetensors").write_bytes(small("w"))
    (tmp_path / "notes.txt").write_text("no model")
    found = document(capsys, "hash", str(tmp_path))
    assert [one["path"] for one in found] == [str(model)]
    found = document(capsys, "hash", "-r", str(tmp_path))
    assert [(Path(one["path"]).parent.name, one["sha256"]) for one in found] == [
        (tmp_path.name, SHA256),
        ("unet", SHA256),
    ]
    (tmp_path / "empty").mkdir()
    assert answer(capsys, "hash", str(tmp_path / "empty"), "--json") == (3, "[]\n")
