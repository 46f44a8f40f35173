"""Lists are read back by those who read them: csv, json, yaml, sha256sum."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from catalog_rows import add_file, add_root, sha256
from kanna.catalog.asking import FoundFile, find
from kanna.catalog.conditions import Filters
from kanna.catalog.exports import csv_text, json_text, markdown, sha256_list
from kanna.catalog.exports_programs import comfyui, invokeai
from kanna.catalog.store import Library

HOSTILE = "=cmd|' /C calc'!A0"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.sqlite3") as opened:
        yield opened


def files(library: Library) -> tuple[FoundFile, ...]:
    return find(library, Filters())


def test_csv(library: Library) -> None:
    add_file(library, "/m/a,b.safetensors", title=HOSTILE, note='two\nlines and "quotes"',
             tags=["x", "y"], sha256=sha256("a"))  # fmt: skip
    (row,) = csv.DictReader(io.StringIO(csv_text(files(library)), newline=""))
    assert row["name"] == "a,b.safetensors"
    assert row["title"] == f"'{HOSTILE}"
    assert row["note"] == 'two\nlines and "quotes"'
    assert (row["tags"], row["autov2"], row["size"]) == ("x y", sha256("a")[:10], "1000")


def test_json(library: Library) -> None:
    add_file(library, "/m/モデル.safetensors", data_sha256=sha256("d"))
    (row,) = json.loads(json_text(files(library)))
    assert (row["path"], row["autov3"]) == ("/m/モデル.safetensors", sha256("d")[:12])


def test_markdown_has_one_row_for_each_model_whatever_its_name(library: Library) -> None:
    add_file(
        library, "/m/a|b`c<script>\n[x](y).safetensors", sha256=sha256("a"), size=2_132_000_000
    )
    head, rule, row = markdown(files(library)).splitlines()
    assert rule == "| --- | ---: | --- | --- | --- |"
    assert head.count("|") == row.replace("\\|", "").count("|") == 6
    assert "2.13 GB" in row
    assert f"`{sha256('a')}` | `{sha256('a')[:10]}`" in row
    assert "<script>" not in row


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_reads_the_list(library: Library, tmp_path: Path) -> None:
    for name in ("plain.safetensors", "new\nline\\.safetensors", "モデル.safetensors"):
        path = tmp_path / name
        path.write_bytes(name.encode())
        add_file(library, str(path), sha256=hashlib.sha256(name.encode()).hexdigest())
    add_file(library, "/m/unhashed.safetensors")
    listed = sha256_list(files(library)).encode()
    done = subprocess.run(
        ["sha256sum", "-c", "--strict"], check=False, input=listed, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK") == 3


def test_comfyui_finds_every_folder(library: Library) -> None:
    lora = add_root(library, "/a1111/models/Lora", kind="lora")
    other = add_root(library, '/all 😀: "x" #1')
    add_file(library, "/a1111/models/Lora/deep/style.safetensors", kind="lora", root=lora)
    add_file(library, '/all 😀: "x" #1/sd/one.safetensors', root=other)
    add_file(library, '/all 😀: "x" #1/sd/old/two.safetensors', root=other)
    add_file(library, '/all 😀: "x" #1/vae/v.safetensors', kind="vae", root=other)
    add_file(library, '/all 😀: "x" #1/what.bin', kind="unknown", root=other)
    read = yaml.safe_load(comfyui(library, files(library)))
    assert read == {"kanna": {
        "checkpoints": '/all 😀: "x" #1/sd', "loras": "/a1111/models/Lora",
        "vae": '/all 😀: "x" #1/vae',
    }}  # fmt: skip


def test_invokeai(library: Library, tmp_path: Path) -> None:
    model = tmp_path / "anime: v1.safetensors"
    model.with_suffix(".yaml").touch()
    (tmp_path / "anime: v1.vae.pt").touch()
    add_file(library, str(model), title="An\x85anime\u2028model")
    add_file(library, "/other/anime: v1.ckpt", architecture="sdxl")
    add_file(library, "/m/lora.safetensors", kind="lora")
    read = yaml.safe_load(invokeai(files(library)))
    assert read.keys() == {"anime: v1", "anime: v1-2"}
    one = next(row for row in read.values() if row["weights"] == str(model))
    assert one["config"] == str(model.with_suffix(".yaml"))
    assert one["vae"] == str(tmp_path / "anime: v1.vae.pt")
    assert one["description"] == "An\x85anime\u2028model"
    assert {row["width"] for row in read.values()} == {512, 1024}


def test_nothing_is_a_document_too(library: Library) -> None:
    assert yaml.safe_load(comfyui(library, ())) == yaml.safe_load(invokeai(())) == {}
    assert json.loads(json_text(())) == []
