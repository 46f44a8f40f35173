"""`kanna explain` and `kanna families`, as a person and as a script meet them."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from containers import small
from kanna import api
from kanna.cli import run
from kanna.cli.explain_report import page_lines
from kanna.cli.output import width
from kanna.demo import component_tensors, write_pieces
from kanna.families.words import spellings
from kanna.findings.rules import RULES
from kanna.formats.layout import arrange
from kanna.messages import set_language

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    assert run([*argv]) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    return json.loads(told(capsys, *argv, "--json"))


def test_a_family_is_told_with_all_that_people_look_up(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "explain", "sd3.5", "--lang", "en")
    for piece in (
        "Stable Diffusion 3", "Stability AI", "2024-06", "from general knowledge", "1024 px",
        "16 channels", "1.5305, shift 0.0609", "flow", "CFG scale 3.5–7",
        "t5xxl_fp16.safetensors", "comfyanonymous/flux_text_encoders", "models/text_encoders",
        "models/text_encoder", "models/Stable-diffusion", "Model Manager", "also used by",
        "The VAE of FLUX.1 has the same shapes but another scale", "ss_base_model_version: sd3",
        "has the 923 tensors of its list", "the header does not tell these apart", "2.028 B–8.057 B",
    ):  # fmt: skip
        assert piece in text, piece


def test_a_family_is_told_in_japanese(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "explain", "flux", "--lang", "ja")
    for piece in ("ライセンス", "必要な部品", "ファイルの置き場所", "バリアント", "ガイダンス蒸留"):
        assert piece in text, piece
    assert "The " not in text


def test_a_variant_has_its_own_facts_and_says_how_it_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = told(capsys, "explain", "flux1", "schnell", "--lang", "en")
    assert text.startswith("FLUX.1 · schnell")
    assert "Apache-2.0" in text
    assert "Non-Commercial" not in text
    assert "CFG scale 1 (off" in text
    kontext = told(capsys, "explain", "kontext", "--lang", "en")
    assert "only metadata tells (modelspec.architecture: flux.1-kontext)" in kontext


def test_what_the_header_leaves_open_and_a_peek_settles_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = told(capsys, "explain", "sd2", "--lang", "en")
    assert "a deviation above 0.09 means 2.0-v / 2.1-v" in text
    assert "v where the marker tensor v_pred is inside" in text


def test_a_part_says_where_it_goes_and_who_needs_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "explain", "t5xxl", "--lang", "en")
    for piece in ("T5-XXL", "text encoder", "needed by", "FLUX.1", "ComfyUI", "4.76 B"):
        assert piece in text


def test_a_kind_tells_its_forms_and_folders(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "explain", "lora", "--lang", "en")
    for piece in ("loha", "Kronecker", "models/loras", "models/Lora", "Stable Diffusion XL"):
        assert piece in text
    one = told(capsys, "explain", "lokr", "--lang", "en")
    assert "Kronecker" in one
    assert "loha" not in one
    assert "no" in told(capsys, "explain", "training state", "--lang", "en").lower()


@pytest.mark.parametrize("code", RULES)
def test_a_finding_is_explained_by_code_and_by_name(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    by_code = told(capsys, "explain", code.lower(), "--lang", "en")
    assert by_code.startswith(code)
    assert by_code in told(capsys, "explain", RULES[code].name, "--lang", "en")
    assert JAPANESE.search(told(capsys, "explain", code, "--lang", "ja"))


def test_a_word_with_several_meanings_gets_a_page_for_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = document(capsys, "explain", "base")
    assert len({page["name"] for page in found["pages"]}) == len(found["pages"]) > 2
    assert {page["variant"] for page in found["pages"]} == {"base"}


@pytest.mark.parametrize(
    ("word", "near"), [("sdxxl", "sdxl"), ("fluxx1 schnell", "schnell"), ("KN999", "KN")]
)
def test_a_wrong_word_gets_suggestions(
    word: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(capsys, "explain", word, "--lang", "en", code=12)
    assert "Did you mean" in text
    assert near in text


def test_a_word_of_nowhere_gets_the_way_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert "kanna families" in told(capsys, "explain", "qqqqqqqq\x1b[31m", code=12)
    assert run(["explain"]) == 2


def test_the_document_of_a_family_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "explain", "flux", "--lang", "en")
    assert found["word"] == "flux"
    (page,) = found["pages"]
    assert (page["type"], page["name"], page["variant"]) == ("family", "flux", None)
    assert page["facts"]["licence"] == "FLUX.1 [dev] Non-Commercial"
    assert page["facts"]["licence_read"] is False
    assert isinstance(page["summary"], str)
    needs = {need["word"]: need for need in page["needs"]}
    assert needs["vae"]["places"][0]["files"][0] == "ae.safetensors"
    assert "sd3" in needs["t5xxl"]["shared_with"]
    rows = {tuple(row["words"]): row for row in page["traits"]}
    assert rows["canny", "depth"]["any"][0] == "img_in.weight [3072,128]"
    assert page["lora_names"] == [
        ["modelspec.architecture", "flux"], ["ss_base_model_version", "flux1"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "kind", "keys"),
    [
        ("t5xxl", "part", {"place", "needed_by", "folders"}),
        ("lora", "kind", {"kind", "dialects", "families", "folders"}),
        ("KN101", "rule", {"code", "severity", "purposes", "title", "why", "fix"}),
        ("ks101", "scan_rule", {"code", "name", "verdict", "title", "why"}),
        ("kontext", "variant", {"facts", "needs", "traits"}),
    ],
)
def test_documents_say_what_they_are(
    word: str, kind: str, keys: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (page,) = document(capsys, "explain", word)["pages"]
    assert page["type"] == kind
    assert keys <= page.keys()


def test_the_list_names_every_family_once_and_filters(capsys: pytest.CaptureFixture[str]) -> None:
    names = [entry["name"] for entry in document(capsys, "families")]
    assert len(names) == len(set(names)) > 50
    assert names.index("sd1") < names.index("sdxl") < names.index("flux")
    assert {e["name"] for e in document(capsys, "families", "pile-t5-xl")} == {"auraflow"}
    some = {e["name"] for e in document(capsys, "families", "t5xxl")}
    assert {"flux", "sd3"} <= some
    assert "wan" not in some
    (sdxl,) = document(capsys, "families", "stable", "playground")
    assert sdxl["needs"] == ["vae", "clip-l", "clip-g"]
    assert sdxl["variants_need"] == ["chatglm3-6b"]
    assert {"turbo", "kolors"} <= set(sdxl["variants"])
    (sana,) = document(capsys, "families", "sana")
    assert sana["parameters"] == [0.592, 4.72]


def test_the_list_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "families", "--lang", "en")
    assert re.search(r"sdxl +Stable Diffusion XL +2\.567 B +vae, clip-l, clip-g", text)
    assert "kanna explain WORD" in text
    assert "esrgan" in text
    assert told(capsys, "families", "-q") == ""
    assert "zzz" in told(capsys, "families", "zzz", code=12)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_can_be_printed_and_folds_to_eighty_columns(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_language(language)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    monkeypatch.setenv("NO_COLOR", "1")
    for word in sorted(set(spellings().values()), key=str)[:: 3 if language == "en" else 4]:
        for page in api.explain(word):
            lines = "\n".join(page_lines(page)).split("\n")
            assert not [line for line in lines if "{" in line], word
            # A tensor's name is not broken.
            long = [line for line in lines if width(line) > 80 and not re.search(r"\S{40}", line)]
            assert not long, (word, long)


def test_inspect_says_where_missing_parts_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "flux.safetensors"
    specs = [(t.name, t.dtype, t.shape) for t in component_tensors("", "flux-bfl", seed=0)]
    layout = arrange("safetensors", specs, metadata={}, digest_fields={}, extras={})
    write_pieces(path, layout.size, layout.blocks("", ()))
    text = told(capsys, "inspect", str(path), "--lang", "en")
    assert "needs besides  vae (ae.safetensors, ComfyUI models/vae)" in text
    assert "t5xxl (t5xxl_fp16.safetensors, ComfyUI models/text_encoders)" in text
    found = document(capsys, "inspect", str(path))
    assert found["missing_parts"] == ["vae", "clip-l", "t5xxl"]


def test_inspect_needs_no_pages_where_nothing_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "unknown.safetensors"
    path.write_bytes(small("a"))
    assert "needs besides" not in told(capsys, "inspect", str(path), "--lang", "en")
