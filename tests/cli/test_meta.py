"""`kanna meta` as people and scripts use it."""

from __future__ import annotations

import hashlib
import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from containers import gguf_bytes, gguf_string, gguf_value, safetensors_bytes
from kanna.api import hash_files
from kanna.cli import run
from kanna.messages import LANGUAGES
from sparse import write_sparse

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "lora.safetensors"
    metadata = {
        "format": "pt", "modelspec.sai_model_spec": "1.0.0", "modelspec.title": "old",
        "modelspec.date": "soon", "ss_network_dim": "8", "ss_tag_frequency": '{"a": {"girl": 3}}',
        "ss_session_id": "77", "prompt": '{"1": {}}', "evil": "\x1b[31m\u202e" + "x" * 500,
    }  # fmt: skip
    path.write_bytes(safetensors_bytes({"w": ("U8", (4,), b"DATA")}, metadata))
    return path


def document(capsys: Capture, *argv: object, code: int = 0) -> Any:
    assert run([*map(str, argv), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def fields(capsys: Capture, path: Path) -> dict[str, str]:
    found: dict[str, str] = document(capsys, "meta", "show", path)["fields"]
    return found


@pytest.mark.parametrize("verb", ["show", "set", "strip"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_verb_explains_itself_with_examples(verb: str, language: str, capsys: Capture) -> None:
    assert run(["meta", verb, "--help", "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert f"kanna meta {verb}" in shown
    assert ("例:" if language == "ja" else "Examples:") in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_group_alone_shows_its_verbs(language: str, capsys: Capture) -> None:
    assert run(["meta", "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb}  " in shown for verb in ("show", "set", "strip"))


def test_a_wrong_verb_gets_a_suggestion(capsys: Capture) -> None:
    assert run(["meta", "shw", "x"]) == 2
    assert "'meta show'" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_show_says_everything_on_one_screen_and_nothing_that_steers_it(
    language: str, model: Path, capsys: Capture
) -> None:
    assert run(["meta", "show", str(model), "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) < 400
    for text in ("ModelSpec 1.0.0", "old", "network_dim", "girl", "prompt", "evil", "architecture"):
        assert text in shown
    assert ("日付" if language == "ja" else "ISO 8601") in shown


def test_show_as_json(model: Path, capsys: Capture) -> None:
    found = document(capsys, "meta", "show", model)
    assert found["fields"]["ss_session_id"] == "77"
    assert found["groups"]["workflow"] == ["prompt"]
    assert found["modelspec"]["missing"]["must"]
    assert [p["field"] for p in found["modelspec"]["problems"]] == ["modelspec.date"]
    assert found["training"]["tags"] == [{"tag": "girl", "count": 3}]
    assert found["private"] == {
        "ss_tag_frequency": "dataset", "ss_session_id": "session", "prompt": "prompts",
    }  # fmt: skip
    assert found["header"] == len(model.read_bytes()) - 4


def test_one_value_comes_out_as_it_is(model: Path, capsys: Capture) -> None:
    assert run(["meta", "show", str(model), "--raw", "prompt"]) == 0
    assert capsys.readouterr().out == '{"1": {}}\n'
    assert run(["meta", "show", str(model), "--raw", "title"]) == 0
    assert capsys.readouterr().out == "old\n"
    assert run(["meta", "show", str(model), "--raw", "no.such"]) == 3


def test_set_shows_what_changes_and_a_dry_run_writes_nothing(model: Path, capsys: Capture) -> None:
    raw = model.read_bytes()
    argv = ["meta", "set", str(model), "title=New one", "author=me", "my.key=a=b"]
    assert run([*argv, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "~ modelspec.title: old → New one" in shown
    assert "+ my.key: a=b" in shown
    assert "Nothing was written" in shown
    assert model.read_bytes() == raw
    assert run(argv) == 0
    assert "AutoV3 stays" in capsys.readouterr().out
    there = fields(capsys, model)
    assert (there["modelspec.title"], there["my.key"]) == ("New one", "a=b")
    assert model.read_bytes()[-4:] == b"DATA"


def test_an_edit_as_json(model: Path, capsys: Capture) -> None:
    made = document(capsys, "meta", "set", model, "title=" + "t" * 99)
    assert (made["way"], made["output"]) == ("new_file", str(model))
    assert made["changes"] == [
        {"key": "modelspec.title", "old": "old", "new": "t" * 99, "reason": None}
    ]
    assert made["digests"]["kept"] == ["autov3", "autov1"]
    made = document(capsys, "meta", "strip", model, "--private", "--verify", "full")
    assert made["way"] == "in_place"
    assert {c["key"]: c["reason"] for c in made["changes"]}["prompt"] == "prompts"
    assert made["digests"]["data_sha256"] == hashlib.sha256(b"DATA").hexdigest()


def test_fields_come_from_toml_and_json(model: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "f.toml").write_text(
        'title = "A"\ntags = ["x", "y"]\n[modelspec]\nauthor = "B"\n[my]\nnumber = 3\n', "utf-8"
    )
    assert run(["meta", "set", str(model), "--from", str(tmp_path / "f.toml"), "title=C"]) == 0
    (tmp_path / "f.json").write_text('{"license": "CC0", "negative": false}', "utf-8")
    assert run(["meta", "set", str(model), "--from", str(tmp_path / "f.json")]) == 0
    capsys.readouterr()
    there = fields(capsys, model)
    assert {k.removeprefix("modelspec."): there[k] for k in there if k.startswith("modelspec.")} == {
        "sai_model_spec": "1.0.0", "title": "C", "date": "soon", "tags": "x, y", "author": "B",
        "license": "CC0", "is_negative_embedding": "false",
    }  # fmt: skip
    assert there["my.number"] == "3"


@pytest.mark.parametrize(
    "text", ["[", "title = ", 'title = "a"\ntitle = "b"', "\xff\x00", "a = [[1]]"]
)
def test_a_wrong_list_of_fields_is_refused(text: str, model: Path, capsys: Capture) -> None:
    path = model.with_name("f.toml")
    path.write_bytes(text.encode("latin-1"))
    raw = model.read_bytes()
    assert run(["meta", "set", str(model), "--from", str(path)]) in {2, 10}
    assert model.read_bytes() == raw
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_thumbnail_goes_in_and_out(model: Path, tmp_path: Path, capsys: Capture) -> None:
    Image.new("RGB", (900, 600), "green").save(tmp_path / "big.png")
    assert run(["meta", "set", str(model), "--thumbnail", str(tmp_path / "big.png")]) == 0
    assert "image/jpeg" in capsys.readouterr().out
    out = tmp_path / "small.png"
    assert run(["meta", "show", str(model), "--thumbnail", str(out)]) == 0
    assert Image.open(BytesIO(out.read_bytes())).size == (256, 171)
    assert run(["meta", "show", str(model), "--thumbnail", str(out)]) == 15
    assert run(["meta", "show", str(model), "--thumbnail", str(out), "--force"]) == 0
    assert run(["meta", "strip", str(model), "--key", "thumbnail"]) == 0
    assert run(["meta", "show", str(model), "--thumbnail", str(out), "--force"]) == 3


def test_what_lies_beside_is_shown_and_taken_over(model: Path, capsys: Capture) -> None:
    info = {"name": "v2", "modelId": 5, "trainedWords": ["ink"], "model": {"name": "Ink"},
            "creator": {"username": "artist"}}  # fmt: skip
    model.with_name("lora.civitai.info").write_text(json.dumps(info))
    model.with_name("lora.preview.png").write_bytes(b"")
    assert run(["meta", "show", str(model)]) == 0
    shown = capsys.readouterr().out
    assert "artist" in shown
    assert "lora.preview.png" in shown
    assert run(["meta", "set", str(model), "--import", "civitai"]) == 0
    assert "modelspec.title is there already" in capsys.readouterr().out
    there = fields(capsys, model)
    assert there["modelspec.author"] == "artist"
    assert there["modelspec.title"] == "old"
    assert run(["meta", "set", str(model), "--import", "a1111"]) == 2


def test_modelspec_is_filled_in_from_what_the_file_is(tmp_path: Path, capsys: Capture) -> None:
    path = write_sparse(tmp_path / "tiny.safetensors", "lora-kohya-sd1-r4-noalpha")
    argv = ["meta", "set", path, "--modelspec", "title=Mine", "author=me", "license=CC0"]
    planned = document(capsys, *argv, "--dry-run")
    assert "modelspec.hash_sha256" not in {c["key"] for c in planned["changes"]}
    document(capsys, *argv)
    found = document(capsys, "meta", "show", path)
    assert found["modelspec"]["complete"]
    assert found["fields"]["modelspec.architecture"] == "stable-diffusion-v1/lora"
    hashed = next(iter(hash_files([path]))).digests
    assert hashed is not None
    assert found["fields"]["modelspec.hash_sha256"] == f"0x{hashed.data_sha256}"
    codes = document(capsys, "check", path, "--for", "distribution", code=0)["findings"]
    assert not [one for one in codes if one["code"].startswith("KN8") and one["code"] < "KN811"]


def test_a_file_to_be_handed_out_is_told_how_to_say_whose_it_is(
    tmp_path: Path, capsys: Capture
) -> None:
    path = write_sparse(tmp_path / "tiny.safetensors", "lora-kohya-sd1-r4-noalpha")
    run(["check", str(path), "--for", "distribution", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    (found,) = [one for one in findings if one["code"] == "KN807"]
    assert found["command"][:4] == ["kanna", "meta", "set", str(path)]
    assert found["command"][-2:] == ["author=AUTHOR", "license=LICENSE"]
    assert run([*found["command"][1:], "--dry-run"]) == 0


def test_stale_sidecars_and_caches_are_named_or_renewed(model: Path, capsys: Capture) -> None:
    os.utime(model, ns=(1, 1))  # long ago, so that the cache believes it
    assert run(["hash", str(model), "--write-sidecar"]) == 0
    sidecar = model.with_name(model.name + ".sha256")
    first = sidecar.read_text()
    made = document(capsys_after(capsys), "meta", "set", model, "title=new")
    assert made["sidecar"] == {"path": str(sidecar), "written": False}
    assert made["digests"]["cached"]
    assert sidecar.read_text() == first
    made = document(capsys, "meta", "set", model, "title=newer", "--sidecar")
    assert made["sidecar"]["written"]
    assert sidecar.read_text().split()[0] == hashlib.sha256(model.read_bytes()).hexdigest()


def capsys_after(capsys: Capture) -> Capture:
    capsys.readouterr()
    return capsys


def test_other_containers_are_shown_and_refused_with_the_command_that_converts(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes([gguf_value("general.name", 8, gguf_string("x"))]))
    assert fields(capsys, path)["general.name"] == "x"
    raw = path.read_bytes()
    assert run(["meta", "set", str(path), "title=x"]) == 13
    assert f"kanna convert {path} -o m.safetensors" in capsys.readouterr().err
    assert run(["meta", "strip", str(path), "--all"]) == 13
    assert path.read_bytes() == raw


def test_several_files_one_of_them_broken(model: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    other = tmp_path / "other.safetensors"
    other.write_bytes(model.read_bytes())
    out = tmp_path / "out"
    out.mkdir()
    files = [str(model), str(tmp_path / "bad.safetensors"), str(other)]
    assert run(["meta", "set", *files, "title=x", "-o", f"{out}/"]) == 10
    assert sorted(path.name for path in out.iterdir()) == [model.name, other.name]
    assert "2 done, 1 failed" in capsys.readouterr().err
    assert run(["meta", "set", *files, "title=x", "-o", str(tmp_path / "one.safetensors")]) == 2
    documents = document(capsys_after(capsys), "meta", "show", *files, code=10)
    assert ["error" in one for one in documents] == [False, True, False]


@pytest.mark.parametrize(
    "argv",
    [
        ["set"], ["set", "m.safetensors"], ["set", "title=x"], ["strip", "m.safetensors"],
        ["set", "m.safetensors", "title=a", "title=b"], ["show", "a", "b", "--thumbnail", "x.png"],
        ["set", "m.safetensors", "--import", "nobody"], ["show"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", LANGUAGES)
def test_wrong_requests_are_two_sentences(argv: list[str], language: str, capsys: Capture) -> None:
    assert run(["meta", *argv, "--lang", language]) == 2
    shown = capsys.readouterr().err
    assert len(shown.splitlines()) == 2
    assert ("エラー" in shown) == (language == "ja")


def test_a_file_whose_name_looks_like_a_field_is_a_file(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(model.parent)
    model.rename("a=b.safetensors")
    assert run(["meta", "set", "a=b.safetensors", "title=x"]) == 0
    capsys.readouterr()
    assert fields(capsys, Path("a=b.safetensors"))["modelspec.title"] == "x"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verb", [["strip", "--private"], ["strip", "--all"], ["set", "title=x"]])
def test_reports_read_in_both_languages(
    verb: list[str], language: str, model: Path, capsys: Capture
) -> None:
    assert run(["meta", verb[0], str(model), *verb[1:], "-v", "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert ("AutoV3 は変わりません" if language == "ja" else "AutoV3 stays") in shown


def test_a_hash_that_is_not_the_datas_is_told_and_corrected(model: Path, capsys: Capture) -> None:
    key = "modelspec.hash_sha256"
    told = document(capsys, "meta", "set", model, f"{key}=" + "0" * 64, "--verify", "full")
    assert "meta.hash_false" in [note["key"] for note in told["notes"]]
    planned = document(capsys, "meta", "set", model, "--modelspec", "--dry-run")
    assert "meta.hash_later" in [note["key"] for note in planned["notes"]]
    made = document(capsys, "meta", "set", model, "--modelspec", "--verify", "full")
    assert "meta.hash_false" not in [note["key"] for note in made["notes"]]
    assert fields(capsys, model)[key] == "0x" + hashlib.sha256(b"DATA").hexdigest()


def test_what_kanna_wrote_is_clean_to_its_own_scan(model: Path, capsys: Capture) -> None:
    assert run(["meta", "set", str(model), "description=" + "d" * 2000]) == 0
    assert run(["scan", str(model)]) == 0
    capsys.readouterr()


def test_a_pipe_is_no_file_and_nothing_waits_for_it(tmp_path: Path, capsys: Capture) -> None:
    os.mkfifo(tmp_path / "p.safetensors")
    assert run(["meta", "set", str(tmp_path / "p.safetensors"), "title=x"]) == 10
    assert capsys.readouterr().err
