"""`kanna infotext` on many files: leftovers of killed runs, and what is counted on the screen."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from infotext_pictures import A1111, png_with
from kanna.cli import counting, run

Capture = pytest.CaptureFixture[str]
DEAD = ".a.txt.kanna-0123456789ab.part"
OTHER = ".z.txt.kanna-0123456789ab.part"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abcdef":
        png_with(folder / f"{name}.png", {"parameters": A1111})
    return folder


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often folders were looked through, by name."""
    counts: Counter[str] = Counter()
    iterdir = Path.iterdir

    def counted(self: Path) -> Iterator[Path]:
        counts[self.name] += 1
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", counted)
    return counts


@pytest.mark.parametrize("verb", ["export", "strip", "edit", "write", "expand"])
def test_a_folder_is_looked_through_once_for_leftovers(
    verb: str, pictures: Path, tmp_path: Path, listed: Counter[str]
) -> None:
    out = tmp_path / "out"
    if verb == "write":
        assert run(["infotext", "export", str(pictures), "--beside", "-q"]) == 0
        listed.clear()
    choices = tmp_path / "x.json"
    choices.write_text('{"prompt": ["a", "b", "c"]}', encoding="utf-8")
    source = choices if verb == "expand" else pictures
    more = ["--replace", "1girl", "x"] if verb == "edit" else []
    assert run(["infotext", verb, str(source), *more, "-o", f"{out}/", "-q"]) == 0
    assert len(os.listdir(out)) == (3 if verb == "expand" else 6)  # noqa: PTH208 - `listed` counts
    assert listed["out"] <= 1
    assert listed["in"] == 0


def test_what_killed_runs_left_goes_and_what_is_others_stays(
    pictures: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in (DEAD, OTHER):
        (out / name).write_text("dead")
    assert run(["infotext", "export", str(pictures), "-o", f"{out}/", "--dry-run"]) == 0
    assert sorted(path.name for path in out.iterdir()) == [DEAD, OTHER]
    assert run(["infotext", "export", str(pictures), "-o", f"{out}/"]) == 0
    assert sorted(path.name for path in out.iterdir()) == [OTHER, *(f"{n}.txt" for n in "abcdef")]
    capsys.readouterr()


def on_terminal(monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    """Let stderr be a terminal, before which somebody waits as long for a count."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(counting, "_PATIENCE_SECONDS", patience)
    monkeypatch.setattr(counting, "_PAUSE_SECONDS", 0)


@pytest.mark.parametrize(
    "argv",
    [
        ["export", "in", "-o", "all.csv"],
        ["export", "in", "-o", "out/"],
        ["strip", "in", "-o", "out/"],
        ["edit", "in", "--replace", "1girl", "x", "--in-place"],
        ["search", "1girl", "--in", "in"],
    ],
    ids=lambda argv: f"{argv[0]} {argv[-1]}",
)
def test_long_work_is_counted_and_the_count_goes(
    argv: list[str], pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    on_terminal(monkeypatch, 0)
    monkeypatch.chdir(pictures.parent)
    assert run(["infotext", *argv]) == 0
    out, err = capsys.readouterr()
    assert "3 of 6 files" in err
    assert "of 6 files" not in err.rpartition("\r")[2]  # what stays on the screen
    assert "of 6 files" not in out


@pytest.mark.parametrize("more", [["-q"], ["--json"]])
def test_nothing_is_counted_for_programs(
    more: list[str], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:  # fmt: skip
    on_terminal(monkeypatch, 0)
    assert run(["infotext", "strip", str(pictures), "-o", f"{tmp_path}/out/", *more]) == 0
    assert capsys.readouterr().err == ""


def test_short_work_is_not_counted(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    on_terminal(monkeypatch, 3600)
    assert run(["infotext", "strip", str(pictures), "-o", f"{tmp_path}/out/"]) == 0
    assert "of 6 files" not in capsys.readouterr().err
