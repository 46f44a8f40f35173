"""`kanna library move`, `copy`, `rename`, `trash`, `delete` and `undo` as people use them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import filed_run
from filing_sets import MODEL, STEM, contents, six_companions, write_set
from kanna.api import Progress
from kanna.cli import run
from kanna.messages import LANGUAGES

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_LIBRARY", str(tmp_path / "library" / "library.sqlite3"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_set(tmp_path / "old")


def document(capsys: Capture, *argv: object, code: int = 0) -> Any:
    assert run(["library", *map(str, argv), "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("verb", ["move", "copy", "rename", "trash", "delete", "undo"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_verb_explains_itself_with_examples(verb: str, language: str, capsys: Capture) -> None:
    assert run(["library", verb, "--help", "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert f"kanna library {verb}" in shown
    assert "--dry-run" in shown


def test_a_dry_run_says_everything_and_does_nothing(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert run(["library", "move", str(model), "--to", str(tmp_path / "new"), "--dry-run"]) == 0
    said = capsys.readouterr()
    assert all(name in said.out for name in six_companions())
    assert "Nothing was done." in said.err
    assert contents(model.parent) == six_companions()
    assert not (tmp_path / "library").exists()


def test_scripts_read_what_was_done(model: Path, tmp_path: Path, capsys: Capture) -> None:
    said = document(capsys, "move", model, "--to", tmp_path / "new")
    (one,) = said["sets"]
    assert (said["verb"], said["number"], said["dry_run"]) == ("move", 1, False)
    assert (one["state"], one["error"]) == ("done", None)
    assert {step["role"] for step in one["steps"]} == {
        "model", "config", "vae", "digest", "preview", "notes", "text"
    }  # fmt: skip
    assert {Path(step["destination"]).name for step in one["steps"]} == set(six_companions())
    listed = document(capsys, "undo", "--list")
    assert [(row["number"], row["state"], row["undoable"]) for row in listed] == [(1, "done", True)]
    assert document(capsys, "undo", 1)["of"] == 1
    assert contents(model.parent) == six_companions()


def test_where_one_model_is_refused_nothing_is_done(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    said = document(capsys, "move", model, tmp_path / "no.ckpt", "--to", tmp_path / "new", code=3)
    assert [one["error"]["key"] for one in said["refused"]] == ["disk.missing"]
    assert contents(model.parent) == six_companions()
    assert run(["library", "move", str(tmp_path / "no.ckpt"), "--to", "x"]) == 3
    assert "some of it cannot be done" in capsys.readouterr().err


def test_something_else_in_the_way_ends_with_15(
    model: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / f"{STEM}.yaml").write_text("other")
    words = ["library", "move", str(model), "--to", str(tmp_path / "new")]
    assert run(words) == 15
    assert f"{STEM}.yaml" in capsys.readouterr().err
    assert run([*words, "--on-conflict", "skip", "--lang", "ja"]) == 0
    assert "飛ばしました" in capsys.readouterr().out


def test_a_deletion_asks_first(
    model: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert document(capsys, "delete", model, code=2)["error"]["key"] == "library_delete.not_asked"
    assert contents(model.parent) == six_companions()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer, left in (("n\n", six_companions()), ("y\n", {})):
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda *_, a=answer: a.strip())
        assert run(["library", "delete", str(model)]) == 0
        assert contents(model.parent) == left
    assert run(["library", "delete", str(write_set(model.parent)), "--yes", "-q"]) == 0
    assert contents(model.parent) == {}


def test_names_of_strangers_are_shown_escaped(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "a\x1b[31m.ckpt"
    path.write_bytes(b"x")
    assert run(["library", "move", str(path), "--to", str(tmp_path / "new")]) == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


def test_every_verb_first_ends_what_was_broken_off(tmp_path: Path, capsys: Capture) -> None:
    write_set(tmp_path / "old")
    library = tmp_path / "lib" / "library.sqlite3"
    step = 60
    while filed_run.struck("move-far", tmp_path, tmp_path / "new", step, signal.SIGKILL) == 0:
        step -= 10
    assert run(["library", "undo", "--resume", "--library", str(library)]) == 0
    assert "broken off" in capsys.readouterr().err
    assert contents(tmp_path / "old") == six_companions()
    assert run(["library", "undo", "--resume", "--library", str(library)]) == 0
    assert "No command was broken off" in capsys.readouterr().err


def test_undo_after_a_kill_takes_back_that_filing_alone(tmp_path: Path, capsys: Capture) -> None:
    write_set(tmp_path / "old")
    library = tmp_path / "lib" / "library.sqlite3"
    other = tmp_path / "other.pt"
    other.write_bytes(b"other")
    where = ["--library", str(library)]
    assert run(["library", "move", str(other), "--to", str(tmp_path / "there"), *where]) == 0
    assert filed_run.struck("move-far", tmp_path, tmp_path / "new", 20, signal.SIGKILL) != 0
    capsys.readouterr()
    assert run(["library", "undo", *where]) == 0
    assert "broken off" in capsys.readouterr().err
    assert contents(tmp_path / "old") == six_companions()
    assert (tmp_path / "there" / "other.pt").exists()
    assert run(["library", "undo", *where]) == 0
    assert other.exists()


def test_undo_takes_numbers_and_nothing_else(capsys: Capture) -> None:
    assert (
        document(capsys, "undo", "yesterday", code=2)["error"]["key"] == "library_undo.bad_number"
    )
    assert document(capsys, "undo", code=2)["error"]["key"] == "filing.nothing_to_undo"
    assert document(capsys, "undo", "--list") == []
    assert run(["library", "undo", "--list"]) == 0
    assert "Nothing was moved" in capsys.readouterr().err


def test_a_big_copy_tells_how_far_it_is(tmp_path: Path) -> None:
    from kanna.api import carry_out_filing, plan_filing

    (tmp_path / "big.ckpt").write_bytes(bytes(9 << 20))
    heard: list[Progress] = []
    plan = plan_filing("copy", [tmp_path / "big.ckpt"], to=tmp_path / "new")
    carry_out_filing(plan, progress=heard.append)
    assert heard[-1].bytes_total == heard[-1].bytes_done == 2 * (9 << 20)
    assert [one.bytes_done for one in heard] == sorted(one.bytes_done for one in heard)


def test_ctrl_c_leaves_the_old_set(tmp_path: Path) -> None:
    model = tmp_path / "old" / "big.ckpt"
    write_set(tmp_path / "old", {"big.ckpt": bytes(4 << 20), "big.yaml": b"x"})
    script = (
        "import os, signal\nfrom kanna.filing import copying\nfrom kanna.cli import run\n"
        "read = copying.read_back\n"
        "def stopped(*a):\n os.kill(os.getpid(), signal.SIGINT)\n return read(*a)\n"
        "copying.read_back = stopped\n"
        f"raise SystemExit(run(['library', 'copy', {str(model)!r}, '--to', {str(tmp_path / 'new')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert set(contents(tmp_path / "old")) == {"big.ckpt", "big.yaml"}
    assert not (tmp_path / "new").exists()


def test_the_set_is_called_by_its_model(model: Path, capsys: Capture) -> None:
    assert run(["library", "rename", str(model), "short"]) == 0
    said = capsys.readouterr().out
    assert f"{MODEL} → short.safetensors" in said
    assert "names inside follow" in said
