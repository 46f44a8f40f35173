"""`kanna infotext strip`, `edit`, `expand`, `extend` and `search` as people and scripts use them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from infotext_pictures import A1111, JAPANESE, NOVELAI, pictures_of, png_with, stealth_png
from kanna.cli import run
from kanna.pictures import image_data_digest, open_picture

Capture = pytest.CaptureFixture[str]
SUFFIXES = ["png", "jpg", "webp", "avif", "gif"]


def document(capsys: Capture, *argv: object, code: int = 0) -> Any:
    capsys.readouterr()
    assert run(["infotext", *map(str, argv), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def parameters(path: Path) -> str:
    found = open_picture(path).text("parameters", "UserComment", "")
    assert found is not None
    return found.text


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_strip_takes_out_what_tells_and_leaves_the_image(
    suffix: str, *, everything: bool, tmp_path: Path, capsys: Capture
) -> None:
    path = pictures_of(tmp_path, A1111, camera=True)[suffix]
    before, out = path.read_bytes(), tmp_path / f"out.{suffix}"
    more = ["--all"] if everything else []
    made = document(capsys, "strip", path, "-o", out, *more)
    assert path.read_bytes() == before
    assert image_data_digest(out) == image_data_digest(path)
    with Image.open(path) as old, Image.open(out) as new:
        assert old.tobytes() == new.tobytes()
        assert new.getexif().get(0x0112) == old.getexif().get(0x0112)
        left = {0x010F, 0x8298, 0x8825} & set(new.getexif())
        assert left == (set() if everything or suffix in {"png", "gif"} else {271, 33432, 34853})
    raw = out.read_bytes()
    assert b"lowres" not in raw
    assert "lowres".encode("utf-16-be") not in raw
    assert (b"Canon" in raw) is (suffix not in {"png", "gif"} and not everything)
    said = " ".join(note["text"] for note in made["notes"])
    assert ("EXIF is left" in said) is (suffix not in {"png", "gif"} and not everything)
    assert ("Left in it: Make" in said) is (suffix not in {"png", "gif"} and not everything)


def test_strip_leaves_what_is_no_generation_data(tmp_path: Path) -> None:
    path = png_with(tmp_path / "a.png", {"parameters": A1111, "Author": "me", "Software": "GIMP"})
    assert run(["infotext", "strip", str(path), "--in-place"]) == 0
    assert [text.keyword for text in open_picture(path).texts] == ["Author", "Software"]
    path = png_with(tmp_path / "n.png", NOVELAI)
    assert run(["infotext", "strip", str(path), "--in-place"]) == 0
    assert open_picture(path).texts == ()


def test_strip_takes_out_what_comfyui_puts_into_exif(tmp_path: Path) -> None:
    path, exif = tmp_path / "a.webp", Image.Exif()
    exif[0x0110], exif[0x010F] = 'prompt:{"1": {}}', 'workflow:{"nodes": []}'
    Image.new("RGB", (8, 8)).save(path, exif=exif)
    assert run(["infotext", "strip", str(path), "--in-place"]) == 0
    assert open_picture(path).texts == ()


def test_strip_tells_of_hidden_text_and_clears_it_on_request(
    tmp_path: Path, capsys: Capture
) -> None:
    path = stealth_png(tmp_path / "a.png", A1111)
    kept, cleared = tmp_path / "kept.png", tmp_path / "cleared.png"
    notes = document(capsys, "strip", path, "-o", kept)["notes"]
    assert [note["key"] for note in notes if note["warning"]] == ["infotext_strip.hidden"]
    assert open_picture(kept, stealth=True).texts
    assert run(["infotext", "strip", str(path), "--stealth", "-o", str(cleared)]) == 0
    assert open_picture(cleared, stealth=True).texts == ()


def test_strip_goes_through_folders_and_writes_every_picture(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    png_with(folder / "a.png", {"parameters": A1111})
    png_with(folder / "sub" / "plain.png", {})
    out = tmp_path / "out"
    assert run(["infotext", "strip", "-r", str(folder), "-o", f"{out}/", "--dry-run"]) == 0
    assert not out.exists()
    assert run(["infotext", "strip", "-r", str(folder), "-o", f"{out}/"]) == 0
    assert (out / "sub" / "plain.png").read_bytes() == (folder / "sub/plain.png").read_bytes()
    assert run(["infotext", "strip", "-r", str(folder), "-o", f"{tmp_path}/one.png"]) == 2
    assert run(["infotext", "strip", "-r", str(folder), "-o", str(folder)]) == 2
    assert "--in-place" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_edit_changes_what_was_asked_for_and_nothing_else(suffix: str, tmp_path: Path) -> None:
    path = pictures_of(tmp_path, A1111)[suffix]
    digest = image_data_digest(path)
    argv = ["--replace", "1girl", "1boy", "--negative-append", ", 低品質", "--set", "Seed", "7",
            "--remove", "Clip skip", "--regex", r"<lora:(\w+):[^>]*>", r"<lora:\1:1>"]  # fmt: skip
    assert run(["infotext", "edit", str(path), *argv, "--in-place"]) == 0
    wanted = A1111.replace("1girl", "1boy").replace("bad hands", "bad hands, 低品質")
    wanted = wanted.replace("Seed: 1234567890", "Seed: 7").replace("Clip skip: 2, ", "")
    assert parameters(path) == wanted.replace("<lora:foo:0.8>", "<lora:foo:1>")
    assert image_data_digest(path) == digest


def test_edits_are_made_from_left_to_right(tmp_path: Path) -> None:
    macro = tmp_path / "macro.txt"
    macro.write_text("Prompt\tReplace\tb\tc\n", encoding="utf-8")
    text = tmp_path / "a.txt"
    for argv, result in (
        (["--replace", "a", "b", "--macro", str(macro), "--append", "b"], "cb"),
        (["--append", "b", "--macro", str(macro), "--replace", "a", "b"], "bc"),
        (["--append", "--replace", "--replace", "a", "x"], "x--replxce"),
    ):
        text.write_bytes(b"a\nSteps: 20, Seed: 1, Size: 8x8")
        assert run(["infotext", "edit", *argv, str(text), "--in-place"]) == 0
        assert text.read_text(encoding="utf-8").splitlines()[0] == result


def test_edit_of_a_text_keeps_its_mark_its_line_ends_and_its_encoding(tmp_path: Path) -> None:
    text = f"\ufeff{JAPANESE}\r\nNegative prompt: x\r\nSteps: 20, Seed: 1, Size: 8x8\r\n"
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    assert run(["infotext", "edit", str(path), "--replace", "1girl", "猫", "--in-place"]) == 0
    assert path.read_bytes() == text.replace("1girl", "猫").encode()
    path.write_bytes(text[1:].encode("cp932"))
    argv = ["edit", str(path), "--encoding", "cp932", "--in-place"]
    assert run(["infotext", *argv, "--replace", "1girl", "猫"]) == 0
    assert path.read_bytes() == text[1:].replace("1girl", "猫").encode("cp932")
    before = path.read_bytes()
    assert run(["infotext", *argv, "--replace", "猫", "🐈"]) == 13
    assert path.read_bytes() == before


def test_a_dry_run_shows_the_difference_and_leaves_nothing(tmp_path: Path, capsys: Capture) -> None:
    path = png_with(tmp_path / "a.png", {"parameters": A1111})
    before = path.read_bytes()
    argv = ["infotext", "edit", str(path), "--replace", "1girl", "\x1b[31m", "--dry-run"]
    assert run(argv) == 0
    shown = capsys.readouterr().out
    assert f"-{A1111.splitlines()[0]}" in shown
    assert "+傑作, \\x1b[31m, 桜の木の下" in shown
    assert "\x1b" not in shown
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]


def test_only_files_that_change_are_written(tmp_path: Path, capsys: Capture) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    png_with(folder / "cat.png", {"parameters": "cat\nSteps: 20, Seed: 1, Size: 8x8"})
    png_with(folder / "dog.png", {"parameters": "dog\nSteps: 20, Seed: 1, Size: 8x8"})
    made = document(capsys, "edit", folder, "--replace", "cat", "bird", "-o", f"{out}/")
    assert [one["changed"] for one in made] == [True, False]
    assert [one.name for one in out.iterdir()] == ["cat.png"]
    stamp = (folder / "dog.png").stat().st_mtime_ns
    assert run(["infotext", "edit", str(folder), "--replace", "cat", "bird", "--in-place"]) == 0
    assert (folder / "dog.png").stat().st_mtime_ns == stamp


def test_what_says_nothing_is_passed_over_in_a_folder(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    png_with(folder / "a.png", {"parameters": A1111})
    silent = png_with(folder / "silent.png", {})
    argv = ["infotext", "edit", "--append", ", x", "--in-place"]
    assert run([*argv, str(folder)]) == 0
    assert "nothing in them for this verb: 1." in capsys.readouterr().err
    assert run([*argv, str(folder), str(silent)]) == 3  # named, it is missed
    assert "silent.png does not say" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="there are no such permissions")
def test_an_edit_in_place_keeps_permissions_and_refuses_links(tmp_path: Path) -> None:
    path = png_with(tmp_path / "a.png", {"parameters": A1111})
    path.chmod(0o640)
    (tmp_path / "link.png").symlink_to(path)
    argv = ["--replace", "1girl", "x", "--in-place"]
    assert run(["infotext", "edit", str(tmp_path / "link.png"), *argv]) == 2
    assert parameters(path) == A1111
    assert run(["infotext", "edit", str(path), *argv]) == 0
    assert path.stat().st_mode & 0o777 == 0o640


def test_edit_refuses_what_makes_no_sense(tmp_path: Path, capsys: Capture) -> None:
    path = png_with(tmp_path / "a.png", {"parameters": A1111})
    plain, hidden = png_with(tmp_path / "p.png", {}), stealth_png(tmp_path / "s.png", A1111)
    change = ["--replace", "1girl", "x"]
    for argv, code in (
        ([path, "--in-place"], 2),
        ([path, *change], 2),
        ([path, *change, "--in-place", "-o", "x.png"], 2),
        ([path, "--regex", "(", "x", "--in-place"], 2),
        ([path, "--macro", path, "--in-place"], 10),
        ([path, *change, "-o", path], 2),
        ([path, *change, "-o", plain], 15),
        ([plain, *change, "--in-place"], 3),
        ([hidden, *change, "--in-place"], 13),
    ):
        assert run(["infotext", "edit", *map(str, argv)]) == code, argv
    assert "Traceback" not in capsys.readouterr().err
    assert parameters(path) == A1111


def test_expand_makes_every_combination(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "変化.json"
    choices = {"prompt": ["猫 (x:0~1)", "犬"], "prompt_count": 3, "seed": [1, 2], "steps": 20}
    path.write_text(json.dumps(choices), encoding="utf-8")
    out = tmp_path / "out"
    assert document(capsys, "expand", path, "--dry-run")["count"] == 8
    assert run(["infotext", "expand", str(path), "-o", str(out)]) == 0
    assert sorted(one.name for one in out.iterdir()) == [f"変化-{n:05}.txt" for n in range(8)]
    texts = [one.read_text(encoding="utf-8") for one in sorted(out.iterdir())]
    assert len(set(texts)) == 8
    assert texts[2].startswith("猫 (x:0.5)\nSteps: 20")
    assert run(["infotext", "expand", str(path), "-o", str(out)]) == 15
    assert run(["infotext", "expand", str(path), "--png", "-o", str(out)]) == 0
    assert parameters(out / "変化-00002.png") == texts[2]
    assert run(["infotext", "expand", str(path)]) == 2
    capsys.readouterr()
    for wrong in ("[1]", "{", "[" * 100_000):
        path.write_text(wrong, encoding="utf-8")
        assert run(["infotext", "expand", str(path), "--dry-run"]) == 10
        assert "変化.json" in capsys.readouterr().err


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that was hashed, under another name than the picture has."""
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "renamed.safetensors"
    header = b'{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"DATA")
    os.utime(path, (1e9, 1e9))  # what has just changed is not kept in the cache
    assert run(["hash", str(path), "-q"]) == 0
    return path


def test_extend_adds_digests_of_models_that_are_certain(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    text = A1111.replace("6ce0161689", digest[:10])
    path = png_with(tmp_path / "a.png", {"parameters": text})
    made = document(capsys, "extend", path, "--in-place")
    assert f"Model sha256: {digest}" in parameters(path)
    assert parameters(path).startswith(text.rpartition(", Version")[0])
    notes = [note["text"] for note in made["notes"] if note["warning"]]
    assert any("vae-ft-mse" in note for note in notes)
    assert any("foo" in note for note in notes)
    assert document(capsys, "extend", path, "--in-place")["changed"] is False
    novel = png_with(tmp_path / "n.png", NOVELAI)
    assert run(["infotext", "extend", str(novel), "--in-place"]) == 13
    named = tmp_path / "named.txt"
    named.write_text("cat\nSteps: 20, Seed: 1, Size: 8x8, Model: renamed", encoding="utf-8")
    assert document(capsys, "extend", named, "--in-place")["changed"] is False
    assert run(["infotext", "extend", str(named), "--in-place", "--by-name"]) == 0
    assert named.read_text(encoding="utf-8").endswith(f"Model: renamed, Model sha256: {digest}")


def test_extend_keeps_what_it_cannot_look_up(model: Path, tmp_path: Path, capsys: Capture) -> None:
    digest, data = (hashlib.sha256(raw).hexdigest() for raw in (model.read_bytes(), b"DATA"))
    resources = json.dumps({"lora:a, b": data[:10], "lora:": "0123456789"})
    start = f"cat\nSteps: 20, Seed: 1, Size: 8x8, Hashes: {resources}"
    path = tmp_path / "a.txt"
    path.write_text(f'{start}, Lora sha256: "gone: {"ab" * 32}"', encoding="utf-8")
    made = document(capsys, "extend", path, "--in-place")
    expected = f'{start}, Lora sha256: "gone: {"ab" * 32}, a b: {digest}"'
    assert path.read_text(encoding="utf-8") == expected
    assert f"Lora sha256: a b: {digest}" in [note["text"] for note in made["notes"]]
    assert document(capsys, "extend", path, "--in-place")["changed"] is False
    other = expected.replace(digest, "cd" * 32)
    path.write_text(other, encoding="utf-8")
    made = document(capsys, "extend", path, "--in-place")
    assert path.read_text(encoding="utf-8") == other
    assert "infotext_extend.differs" in [note["key"] for note in made["notes"]]


@pytest.mark.parametrize(
    ("said", "key", "reason"),
    [
        ("Model: renamed", "only_named", "by its name"),
        ("VAE hash: {}, VAE: other", "unsure", "by the VAE hash, which is not always"),
    ],
)
def test_extend_says_what_an_unsure_model_rests_on(
    model: Path, tmp_path: Path, capsys: Capture, said: str, key: str, reason: str
) -> None:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    path = tmp_path / "a.txt"
    path.write_text(f"cat\nSteps: 20, Seed: 1, Size: 8x8, {said.format(digest[:10])}", "utf-8")
    (note,) = document(capsys, "extend", path, "--in-place")["notes"]
    assert note["key"] == f"infotext_extend.{key}"
    assert f"({reason}" in note["text"]
    taken = document(capsys, "extend", path, "--in-place", "--by-name")["changed"]
    assert taken is (key == "only_named")


def test_search_in_folders_finds_by_every_question(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "in" / "sub"
    folder.mkdir(parents=True)
    png_with(folder / "a.png", {"parameters": A1111})
    png_with(folder / "n.png", NOVELAI)
    (folder / "bad.png").write_bytes(b"broken")

    def found(*argv: str, code: int = 0) -> list[str]:
        pictures = document(capsys, "search", *argv, "--in", tmp_path / "in", code=code)
        return sorted(Path(one["path"]).name for one in pictures)

    assert found("1girl") == ["a.png", "n.png"]
    assert found("桜") == ["a.png"]
    assert found("--negative", "lowres") == ["a.png"]
    assert found("--model", "6ce0161689") == ["a.png"]
    assert found("--lora", "foo") == ["a.png"]
    assert found("--seed", "77") == ["n.png"]
    assert found("--sampler", "DPM++ 2M") == ["a.png"]
    assert found("1girl", "--seed", "5", code=1) == []
    assert found("--seed", "0", code=1) == []
    assert run(["infotext", "search", "--in", str(tmp_path)]) == 2
    assert run(["infotext", "search", "cat", "--in", str(tmp_path / "none")]) == 3
    assert run(["infotext", "search", "cat", "--library", str(tmp_path / "none.sqlite3")]) == 3
    assert run(["infotext", "search", "1girl", "--in", str(tmp_path), "--lang", "ja"]) == 0
    assert "1girl" in capsys.readouterr().out
