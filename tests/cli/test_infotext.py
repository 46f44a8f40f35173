"""`kanna infotext` as people and scripts use it: reading, exporting, writing."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from infotext_pictures import (
    A1111,
    JAPANESE,
    NOVELAI,
    bad_pictures,
    pictures_of,
    png_with,
    stealth_png,
)
from kanna.cli import run
from kanna.messages import LANGUAGES
from kanna.pictures import image_data_digest, open_picture

Capture = pytest.CaptureFixture[str]
VERBS = ["show", "export", "write", "strip", "edit", "expand", "extend", "search"]


def document(capsys: Capture, *argv: object, code: int = 0) -> Any:
    assert run(["infotext", *map(str, argv), "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_verb_explains_itself_with_examples(verb: str, language: str, capsys: Capture) -> None:
    assert run(["infotext", verb, "--help", "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert f"kanna infotext {verb}" in shown
    assert ("例:" if language == "ja" else "Examples:") in shown


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif", "gif"])
def test_show_reads_the_same_from_every_container(
    suffix: str, tmp_path: Path, capsys: Capture
) -> None:
    path = pictures_of(tmp_path, A1111)[suffix]
    said = document(capsys, "show", path)["generation"]
    assert (said["dialect"], said["seed"], said["steps"]) == ("a1111", 1234567890, 20)
    assert said["prompt"] == f"{JAPANESE}, <lora:foo:0.8>\nsecond line"
    assert said["negative"] == "lowres, bad hands"
    assert {one["role"]: one["name"] for one in said["models"]} == {
        "checkpoint": "v1-5-pruned-emaonly", "lora": "foo", "vae": "vae-ft-mse.safetensors",
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_show_is_for_people_and_nothing_in_it_steers_a_terminal(
    language: str, tmp_path: Path, capsys: Capture
) -> None:
    text = "a\x1b[31mred\u202e\nSteps: 20, Sampler: \x1b[0mEuler, Seed: 1"
    path = png_with(tmp_path / "絵.png", {"parameters": text})
    assert run(["infotext", "show", str(path), "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "絵.png" in shown
    assert ("プロンプト" if language == "ja" else "prompt") in shown


def test_show_cuts_no_line_of_a_prompt(tmp_path: Path, capsys: Capture) -> None:
    prompt = ", ".join(f"word{number}" for number in range(100))
    path = png_with(tmp_path / "a.png", {"parameters": f"{prompt}\nSteps: 20, Seed: 1, Size: 1x1"})
    assert run(["infotext", "show", str(path)]) == 0
    assert prompt in capsys.readouterr().out


@pytest.mark.parametrize("holder", ["picture.png", "text.txt"])
def test_show_raw_prints_the_text_byte_for_byte(
    holder: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    text = f"{JAPANESE}\r\nSteps: 1, Seed: 2, Size: 8x8\r\n"
    path = tmp_path / holder
    if path.suffix == ".png":
        png_with(path, {"parameters": text})
    else:
        path.write_bytes(text.encode())
    assert run(["infotext", "show", "--raw", str(path)]) == 0
    assert capsysbinary.readouterr().out == text.encode()


def test_of_several_texts_one_has_to_be_named(tmp_path: Path, capsys: Capture) -> None:
    path = png_with(tmp_path / "n.png", NOVELAI)
    assert run(["infotext", "show", "--raw", str(path)]) == 2
    assert "Comment" in capsys.readouterr().err
    assert run(["infotext", "show", "--keyword", "software", str(path)]) == 0
    assert capsys.readouterr().out == "NovelAI"
    assert run(["infotext", "show", "--keyword", "nothing", str(path)]) == 3


def test_a_picture_that_says_nothing_ends_with_3(tmp_path: Path, capsys: Capture) -> None:
    path = png_with(tmp_path / "plain.png", {"Software": "GIMP"})
    assert run(["infotext", "show", str(path)]) == 3
    assert "does not say how it was made" in capsys.readouterr().out
    assert document(capsys, "show", path, code=3)["generation"] is None


def test_hidden_text_is_found_where_nothing_else_speaks(tmp_path: Path, capsys: Capture) -> None:
    path = stealth_png(tmp_path / "hidden.png", A1111)
    said = document(capsys, "show", path)
    assert said["generation"]["seed"] == 1234567890
    assert said["texts"][0]["place"] == "stealth_alpha"


@pytest.mark.parametrize("name", sorted(bad_pictures()))
def test_a_broken_picture_is_refused_without_a_traceback(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    bad = tmp_path / name
    bad.write_bytes(bad_pictures()[name])
    good = png_with(tmp_path / "good.png", {"parameters": A1111})
    for verb, more in (("show", ()), ("strip", ("-o", f"{tmp_path}/out/"))):
        assert run(["infotext", verb, str(bad), *more]) == 10
        assert "Traceback" not in capsys.readouterr().err
    said = document(capsys, "show", bad, good, code=10)
    assert said[0]["error"]["exit"] == 10
    assert said[1]["generation"]["seed"] == 1234567890


def test_what_is_no_text_is_refused(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    assert run(["infotext", "show", str(path)]) == 10
    assert run(["infotext", "show", str(tmp_path / "none.png")]) == 3
    capsys.readouterr()


def test_shift_jis_is_named_in_the_error_and_read_when_it_is_said(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes(f"{JAPANESE}\nSteps: 1, Seed: 2, Size: 8x8".encode("cp932"))
    assert run(["infotext", "show", str(path)]) == 10
    assert "--encoding cp932" in capsys.readouterr().err
    said = document(capsys, "show", path, "--encoding", "cp932")
    assert said["generation"]["prompt"] == JAPANESE


@pytest.mark.parametrize("encoding", ["cp932", "utf-16", "euc_jp"])
def test_a_text_in_another_encoding_comes_out_as_it_went_in(encoding: str, tmp_path: Path) -> None:
    text, made, back = tmp_path / "a.txt", tmp_path / "a.png", tmp_path / "back.txt"
    text.write_bytes(f"{JAPANESE}\r\nSteps: 1, Seed: 2, Size: 8x8\r\n".encode(encoding))
    more = ["--encoding", encoding]
    assert run(["infotext", "write", str(text), "-o", str(made), *more]) == 0
    assert run(["infotext", "export", str(made), "-o", str(back), *more]) == 0
    assert back.read_bytes() == text.read_bytes()
    png_with(made, {"parameters": "🐈\nSteps: 1, Seed: 2, Size: 8x8"})
    code = run(["infotext", "export", str(made), "-o", str(back), "--force", *more])
    assert code == (0 if encoding == "utf-16" else 13)


@pytest.mark.parametrize(
    "data",
    [
        f"{JAPANESE}\nNegative prompt: 低品質\nSteps: 20, Sampler: Euler a, Seed: 1".encode(),
        f"\ufeff{JAPANESE}\r\nSteps: 20, Sampler: Euler a, Seed: 1\r\n\r\n".encode(),
        "ascii only, caf\u00e9\n".encode(),
        b'{"1": {"class_type": "KSampler", "inputs": {"seed": 5}}}\n',
        b"\t  spaces first\n\n\n",
    ],
    ids=["plain", "windows", "latin", "workflow", "blank"],
)
@pytest.mark.parametrize("onto", ["", "png", "jpg", "webp", "avif", "gif"])
def test_a_text_comes_out_of_a_picture_as_it_went_in(
    onto: str, data: bytes, tmp_path: Path
) -> None:
    text = tmp_path / "プロンプト.txt"
    text.write_bytes(data)
    made = tmp_path / f"made.{onto or 'png'}"
    old = pictures_of(tmp_path, A1111)[onto or "png"]
    before, more = old.read_bytes(), ["--to", str(old)] if onto else []
    assert run(["infotext", "write", str(text), "-o", str(made), *more]) == 0
    with Image.open(made) as picture:
        picture.load()
    if onto:
        assert old.read_bytes() == before
        assert image_data_digest(made) == image_data_digest(old)
        assert [t.text for t in open_picture(made).texts if A1111 in t.text] == []
    back = tmp_path / "back.txt"
    assert run(["infotext", "show", "--raw", str(text)]) == 0
    assert run(["infotext", "export", str(made), "-o", str(back)]) == 0
    assert back.read_bytes() == data


def test_pillow_reads_what_was_written(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text(A1111, encoding="utf-8")
    assert run(["infotext", "write", str(text), "-o", str(tmp_path / "a.png")]) == 0
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()
        assert picture.info["parameters"] == A1111


def test_write_goes_through_folders_and_pairs_texts_with_pictures(tmp_path: Path) -> None:
    texts, pictures = tmp_path / "texts", tmp_path / "pictures"
    for folder in (texts / "sub", pictures / "sub"):
        folder.mkdir(parents=True)
    (texts / "a.txt").write_text(A1111, encoding="utf-8")
    (texts / "sub" / "b.txt").write_text(A1111, encoding="utf-8")
    png_with(pictures / "a.png", {})
    Image.new("RGB", (4, 4)).save(pictures / "sub" / "b.jpg")
    out = tmp_path / "out"
    argv = ["infotext", "write", "-r", str(texts), "--to", str(pictures), "-o", str(out)]
    assert run(argv) == 0
    assert open_picture(out / "a.png").text("parameters") is not None
    assert open_picture(out / "sub" / "b.jpg").text("UserComment") is not None
    assert run(argv) == 15  # never over what is there
    (texts / "c.txt").write_text("no picture for this one", encoding="utf-8")
    assert run([*argv, "--force"]) == 3


def test_write_refuses_what_makes_no_sense(tmp_path: Path, capsys: Capture) -> None:
    text, picture = tmp_path / "a.txt", png_with(tmp_path / "a.png", {"parameters": A1111})
    text.write_text(A1111, encoding="utf-8")
    (tmp_path / "b.txt").write_text("b", encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    before = picture.read_bytes()
    for argv, code in (
        ([text, "--to", picture, "-o", picture, "--force"], 2),
        ([text, "-o", tmp_path / "x.jpg"], 2),
        ([text, "--to", picture, "-o", tmp_path / "x.webp"], 2),
        ([text, tmp_path / "b.txt", "--to", picture, "-o", f"{tmp_path}/out/"], 2),
        ([picture, "-o", tmp_path / "x.png"], 2),
        ([text, "--to", text, "-o", tmp_path / "x.txt"], 2),
        ([tmp_path / "empty.txt", "-o", tmp_path / "x.png"], 3),
        ([text], 2),
    ):
        assert run(["infotext", "write", *map(str, argv)]) == code, argv
    assert picture.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.png", "a.txt", "b.txt", "empty.txt",
    ]  # fmt: skip
    capsys.readouterr()


def test_export_keeps_folders_apart_and_names_that_would_collide(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "sub").mkdir(parents=True)
    pictures_of(folder, A1111)
    png_with(folder / "sub" / "picture.png", {"parameters": "other\nSteps: 1, Seed: 2, Size: 1x1"})
    png_with(folder / "only.png", {"parameters": A1111})
    assert run(["infotext", "export", "-r", str(folder), "-o", f"{out}/"]) == 0
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.txt"))
    suffixes = ("avif", "gif", "jpg", "png", "webp")
    assert names == sorted([
        "only.txt", *(f"picture.{suffix}.txt" for suffix in suffixes), "sub/picture.txt",
    ])  # fmt: skip
    assert (out / "picture.webp.txt").read_bytes() == A1111.encode()


def test_export_beside_the_pictures_and_as_json(tmp_path: Path, capsys: Capture) -> None:
    png_with(tmp_path / "a.png", {"parameters": A1111})
    png_with(tmp_path / "silent.png", {})
    assert run(["infotext", "export", str(tmp_path), "--beside"]) == 0
    assert "nothing in them for this verb: 1." in capsys.readouterr().err
    assert (tmp_path / "a.txt").read_bytes() == A1111.encode()
    assert not (tmp_path / "silent.txt").exists()
    assert run(["infotext", "export", str(tmp_path), "--to", "json", "-o", f"{tmp_path}/j/"]) == 0
    one = json.loads((tmp_path / "j" / "a.json").read_bytes())
    assert one["generation"]["seed"] == 1234567890
    assert run(["infotext", "export", str(tmp_path), "-o", f"{tmp_path}/all.json"]) == 0
    every = json.loads((tmp_path / "all.json").read_bytes())
    assert [Path(row["path"]).name for row in every] == ["a.png", "silent.png"]


@pytest.mark.parametrize("excel", [True, False])
def test_a_table_has_a_row_for_each_picture_and_no_formula(
    *, excel: bool, tmp_path: Path, capsys: Capture
) -> None:
    png_with(tmp_path / "a.png", {"parameters": A1111})
    evil = '=HYPERLINK("http://x")\nNegative prompt: -2+3\nSteps: 20, Sampler: @SUM(1), Seed: -1'
    wide = "＝1＋1\nSteps: 20, Sampler: Euler a, Seed: 1"
    png_with(tmp_path / "wide.png", {"parameters": wide})
    png_with(tmp_path / "evil.png", {"parameters": evil})
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    table = tmp_path / "t.csv"
    more = ["--excel"] if excel else []
    assert run(["infotext", "export", str(tmp_path), "-o", str(table), *more]) == 10
    capsys.readouterr()
    assert table.read_bytes().startswith(b"\xef\xbb\xbf") is excel
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = {Path(row["path"]).name: row for row in csv.DictReader(file)}
    assert rows["a.png"]["prompt"] == f"{JAPANESE}, <lora:foo:0.8>\nsecond line"
    assert rows["a.png"]["checkpoint_hash"] == "6ce0161689"
    assert rows["a.png"]["lora"] == "foo:0.8 [0123456789ab]"
    assert rows["evil.png"]["prompt"].startswith("'=")
    assert rows["evil.png"]["negative"] == "'-2+3"
    assert rows["evil.png"]["sampler"].startswith("'@")
    assert rows["evil.png"]["seed"] == "-1"
    assert rows["wide.png"]["prompt"].startswith("'")
    assert rows["bad.png"]["error"]


def test_export_says_where_and_what_exactly_once(tmp_path: Path, capsys: Capture) -> None:
    path = str(png_with(tmp_path / "a.png", {"parameters": A1111}))
    for more in ([], ["--beside", "-o", "x.txt"], ["--beside", "--to", "csv"],
                 ["-o", "x.csv", "--to", "json"], ["-o", path], ["-o", "x.webp"],
                 ["-o", "x.json", "--to", "a1111"]):  # fmt: skip
        assert run(["infotext", "export", path, *more]) == 2, more
    assert run(["infotext", "export", path, "-o", f"{tmp_path}/d.txt", "--dry-run"]) == 0
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]
    capsys.readouterr()


def test_what_cannot_be_read_stops_no_other(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = png_with(tmp_path / "good.png", {"parameters": A1111})
    closed = png_with(tmp_path / "closed.png", {"parameters": A1111})
    folder = tmp_path / "folder"
    folder.mkdir()

    def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
        def refused(path: Any, *more: Any, **options: Any) -> Any:
            if str(path) in {str(closed), str(folder)}:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return call(path, *more, **options)

        return refused

    for name in ("open", "scandir"):  # root may read whatever its mode says
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    said = document(capsys, "show", closed, folder, good, code=3)
    assert ["error" in one for one in said] == [True, True, False]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_unicode_are_taken_and_told(tmp_path: Path, capsys: Capture) -> None:
    folder = os.fsencode(tmp_path / "in")
    os.mkdir(folder)  # noqa: PTH102 - a name of bytes
    path = Path(os.fsdecode(folder + b"/\xff\xfe.png"))
    png_with(path, {"parameters": A1111})
    assert document(capsys, "show", path)["generation"]["steps"] == 20
    for name in ("t.csv", "t.json"):
        assert run(["infotext", "export", str(tmp_path / "in"), "-o", str(tmp_path / name)]) == 0
        assert b"1girl" in (tmp_path / name).read_bytes()
    assert run(["infotext", "export", str(tmp_path / "in"), "-o", f"{tmp_path}/out/"]) == 0
    (made,) = (tmp_path / "out").iterdir()
    assert os.fsencode(made.name) == b"\xff\xfe.txt"
