"""Folders, indexes, configurations, special files, and the table of rules."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path

import pytest

from attacks import cases
from containers import gguf_bytes, gguf_entry, small
from kanna.errors import Incomplete
from kanna.scan import SCAN_RULES, Scan, scan, scan_targets

_ROOT = Path(__file__).parents[2]
_TENSOR = small("a")
_BAD = cases.READABLE["os.system"]


def codes(found: Scan) -> set[str]:
    return {threat.code for threat in found.threats}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder in order."""
    unet = tmp_path / "model" / "unet"
    unet.mkdir(parents=True)
    (unet / "diffusion_pytorch_model.safetensors").write_bytes(_TENSOR)
    (unet / "config.json").write_text('{"_class_name": "UNet2DConditionModel"}')
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
    }
    (unet.parent / "model_index.json").write_text(json.dumps(index))
    (unet.parent / "README.md").write_text("cats\ndogs\n")
    return unet.parent


def test_a_folder_in_order_is_clean(folder: Path) -> None:
    found = scan(folder)
    assert (found.verdict, found.container, found.threats) == ("clean", "diffusers", ())
    assert found.accounted == found.size
    assert {path.name for path in found.files} == {
        "model_index.json", "config.json", "diffusion_pytorch_model.safetensors",
    }  # fmt: skip


@pytest.mark.parametrize("file", ["unet/diffusion_pytorch_model.bin", "x.pkl", "deep/er/notes.dat"])
def test_a_pickle_anywhere_in_a_folder_is_found(file: str, folder: Path) -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_BAD)
    found = scan(folder)
    assert found.verdict == "dangerous"
    assert path in {threat.place.path for threat in found.threats}


def test_code_and_hooks_in_a_folder_are_told(folder: Path) -> None:
    (folder / "unet" / "pipeline.py").write_text("import os")
    assert codes(scan(folder)) == {"KS404"}
    (folder / "unet" / "pipeline.py").unlink()
    (folder / "unet" / "config.json").write_text('{"auto_map": {"AutoModel": "a.B"}}')
    assert codes(scan(folder)) == {"KS405"}


@pytest.mark.parametrize("library", ["pipeline", "os", "../x", 5])
def test_a_component_of_another_library_is_told(library: object, folder: Path) -> None:
    (folder / "model_index.json").write_text(json.dumps({"unet": [library, "Thing"]}))
    assert codes(scan(folder)) == {"KS405"}


@pytest.mark.parametrize(
    ("shard", "code"),
    [("b.safetensors", "KS302"), ("../b.safetensors", "KS406"), ("/etc/passwd", "KS406"), ("c:\\x", "KS406")],
)  # fmt: skip
def test_an_index_that_leads_astray(shard: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(_TENSOR)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "a.safetensors", "b": shard}}))
    assert code in codes(scan(index))


def test_shards_of_an_index_are_scanned(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(_BAD)
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {cases.NAME: "a.bin"}}))
    assert scan(index).verdict == "dangerous"


def test_a_folder_of_many_models_is_gone_through_one_by_one(folder: Path) -> None:
    many = folder.parent
    (many / "a.safetensors").write_bytes(_TENSOR)
    (many / "notes.txt").write_text("no model")
    (many / "sub").mkdir()
    (many / "sub" / "b.ckpt").write_bytes(_BAD)
    (many / "sub" / "round").symlink_to(many, target_is_directory=True)
    assert list(scan_targets(many)) == [many / "a.safetensors"]
    assert set(scan_targets(many, recursive=True)) == {
        many / "a.safetensors", many / "sub" / "b.ckpt", folder,
    }  # fmt: skip


_CONFIGS = {
    "a target of Stable Diffusion": ("model:\n  target: ldm.models.diffusion.ddpm.LatentDiffusion\n", set()),
    "a target elsewhere": ("model: {target: os.system}\n", {"KS403"}),
    "a function under a known name": ("model: {target: ldm.util.instantiate_from_config}\n", {"KS403"}),
    "a Python tag": ("a: !!python/object/apply:os.system [x]\n", {"KS401"}),
    "a Python tag behind another": ("b: !x 1\na: !!python/name:os.system\n", {"KS401", "KS402"}),
    "a Python tag by another handle": (
        "%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!name:os.system x\n", {"KS401"}),
    "an alias": ("a: &x [1]\nb: *x\n", {"KS402"}),
    "no YAML": ("a: [1\n", {"KS402"}),
}  # fmt: skip


@pytest.mark.parametrize("what", _CONFIGS)
def test_the_configuration_beside_a_model_counts(what: str, tmp_path: Path) -> None:
    text, wanted = _CONFIGS[what]
    (tmp_path / "m.safetensors").write_bytes(_TENSOR)
    (tmp_path / "m.yaml").write_text(text)
    assert codes(scan(tmp_path / "m.safetensors")) == wanted
    assert codes(scan(tmp_path / "m.yaml")) == wanted


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "KS301", "web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\nsize 4265146304\n",
            "KS302",
            "4,265,146,304",
        ),
        (_TENSOR[:-2], "KS302", "stopped at"),
        (b"", "KS302", "empty"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "KS301", "7-Zip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "KS301", "PNG"),
    ],
)
def test_broken_files_are_named_for_what_they_are(
    content: bytes, code: str, words: str, tmp_path: Path
) -> None:
    from kanna.identity import said

    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    found = scan(path)
    assert (found.verdict, codes(found)) == ("suspicious", {code})
    assert words in said(found.threats[0].note)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files here")
def test_special_files_never_hang_and_are_never_clean(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ckpt")
    (tmp_path / "loop.ckpt").symlink_to("loop.ckpt")
    (tmp_path / "nowhere.ckpt").symlink_to("nothing")
    for name in ("pipe.ckpt", "loop.ckpt", "nowhere.ckpt", "/dev/zero"):
        assert codes(scan(tmp_path / name)) == {"KS304"}
    with pytest.raises(Incomplete):
        scan(tmp_path / "missing.ckpt")


def test_a_hole_of_a_terabyte_is_not_read(tmp_path: Path) -> None:
    for beginning in (b"", b"\x80\x02cos\nsystem\n)R.", _TENSOR):
        with (tmp_path / "m.ckpt").open("wb") as file:
            file.write(beginning)
            file.truncate(1 << 40)
        assert scan(tmp_path / "m.ckpt").verdict != "clean"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_of_the_rules_is_up_to_date(language: str) -> None:
    spec = importlib.util.spec_from_file_location("pages", _ROOT / "tools" / "write_scan_docs.py")
    assert spec is not None
    assert spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    assert pages.PAGES[language].read_text(encoding="utf-8") == pages.page(language)


def test_codes_are_in_order_and_each_is_used() -> None:
    assert list(SCAN_RULES) == sorted(SCAN_RULES)
    source = "".join(path.read_text() for path in (_ROOT / "src/kanna/scan").glob("*.py"))
    assert set(re.findall(r'"(KS\d{3})"', source)) == set(SCAN_RULES)


def test_bytes_of_gguf_that_belong_to_no_tensor_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    entry = gguf_entry("a", (4,), 0, 0)
    for count, wanted in ((0, set()), (31, set()), (64, {"KS203"})):
        path.write_bytes(gguf_bytes((), [entry], bytes(16 + count)))
        assert codes(scan(path)) == wanted
