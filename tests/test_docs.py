"""What the papers say is so: links, exit codes, options, rooms."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from kanna import errors
from kanna.cli import VERBS
from kanna.cli.convert import convert

ROOT = Path(__file__).parent.parent
PAPERS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
READMES = [ROOT / "README.md", ROOT / "README.ja.md"]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_links_lead_somewhere_and_no_placeholder_is_left(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (paper.parent / link).exists(), link
    assert not re.findall(r"^[A-Z_]{4,}$", text, flags=re.MULTILINE)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_readmes_know_every_verb_option_and_exit_code(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    assert all(f"kanna {verb}" in text for verb in VERBS)
    options = [option.opts for option in convert.params if isinstance(option, click.Option)]
    assert [words for words in options if not any(f"`{word}" in text for word in words)] == []
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.KannaError)
    }
    assert [code for code in codes if f"| {code} |" not in text] == []


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [
        path
        for path in (ROOT / "src" / "kanna").iterdir()
        if path.suffix in {"", ".py", ".c", ".h"}
    ]
    names = [path.name + "/" * path.is_dir() for path in rooms if not path.name.startswith("__")]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_architecture_names_only_files_that_there_are() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_-]+\.[a-z]+)`", text)
    places = (ROOT, ROOT / "src" / "kanna")
    assert len(named) > 50
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
