"""What every verb shares: verbs, options, languages, streams."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kanna import __version__
from kanna.cli import VERBS, run
from kanna.cli.output import table, width, wrapped
from kanna.messages import say


def test_the_version_is_printed() -> None:
    command = [sys.executable, "-m", "kanna", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"kanna {__version__}\n"


def test_no_verb_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_verb_explains_itself_with_examples(
    verb: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([verb, "--help", "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert f"kanna {verb}" in shown
    assert ("例:" if language == "ja" else "Examples:") in shown
    examples = [line.strip() for line in say(f"{verb}.examples").splitlines()[1:]]
    assert set(examples) <= {line.strip() for line in shown.splitlines()}


def test_a_wrong_verb_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspekt"]) == 2
    assert "Did you mean 'inspect'?" in capsys.readouterr().err


def test_a_wrong_verb_far_from_all_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["xyzzy"]) == 2
    assert "kanna --help" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["inspect", "--no-such"],
        ["inspect"],
        ["convert", "x.safetensors", "--dtype", "fp12"],
        ["convert", "x.safetensors", "--threads", "0"],
        ["inspect", "ftp://x/y.safetensors"],
        ["inspect", "file:///x/y.safetensors"],
    ],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_wrong_options_are_usage_errors_in_two_sentences(
    argv: list[str], language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*argv, "--lang", language]) == 2
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    assert len(shown.splitlines()) == 2
    assert ("エラー" in shown) == (language == "ja")


def test_a_missing_file_is_said_in_japanese_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", str(tmp_path / "無い.ckpt"), "--lang", "ja"]) == 3
    assert "無い.ckpt というファイルはありません" in capsys.readouterr().err


def test_the_environment_chooses_the_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KANNA_LANG", "ja")
    run(["inspect", str(tmp_path / "x")])
    assert "エラー" in capsys.readouterr().err


def test_a_closed_pipe_ends_quietly() -> None:
    command = f"{sys.executable} -m kanna inspect --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() in {"0", "1"}  # whether the pipe closed before all was written


def test_tables_align_japanese_letters() -> None:
    lines = table([["精度", "x"], ["a", "y"]])
    assert {width(line) for line in lines} == {2 + 4 + 2 + 1}


@pytest.mark.parametrize(
    "text", ["a few plain words that go on and on " * 4, "日本語の長い文章です。" * 12]
)
def test_long_texts_are_folded_to_the_terminal(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    lines = wrapped(text, 4).split("\n")
    assert len(lines) > 1
    assert max(width(line) for line in lines[1:]) <= 60
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(line.startswith("    ") for line in lines[1:])


def test_no_line_begins_with_a_closing_mark_or_parts_a_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for columns in range(24, 60):
        monkeypatch.setenv("COLUMNS", str(columns))
        text = "精度は fp16、ステップ数は 20〜50、例は「真っ黒な画像」（修復できません）。" * 4
        lines = [line.strip() for line in wrapped(text, 4).split("\n")]
        assert not [line for line in lines if line[0] in "、。」）〜ー"], columns
        assert not [line for line in lines if line[-1] in "「（〜"], columns
