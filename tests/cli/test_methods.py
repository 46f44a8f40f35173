"""`kanna methods`, the pages of methods, and the docs made of them."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from os import terminal_size
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kanna import api
from kanna.cli import run
from kanna.cli.explain_report import page_lines
from kanna.cli.output import width
from kanna.merging.method import built_in
from kanna.messages import set_language

ROOT = Path(__file__).parent.parent.parent
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    assert run([*argv]) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    return json.loads(told(capsys, *argv, "--json"))


def test_the_list_has_every_method_with_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "methods", "--lang", "en")
    for name, method in built_in().items():
        assert re.search(rf"^  {name} ", text, re.MULTILINE), name
        assert method.summary["en"] in text
    assert "density 0.2 (0–1) · consensus sum (sum | count)" in text
    japanese = told(capsys, "methods", "--lang", "ja")
    assert all(method.summary["ja"] in japanese for method in built_in().values())


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["dare"], {"dare-linear", "dare-ties"}),
        (["DARE_TIES"], {"dare-ties"}),
        (["epsilon"], {"della", "della-linear"}),
        (["2306.01708", "gamma"], {"breadcrumbs-ties"}),
    ],
)
def test_words_choose_from_the_list(
    words: list[str], names: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert {one["name"] for one in document(capsys, "methods", *words)} == names


def test_a_word_that_no_method_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert "qqq" in told(capsys, "methods", "qqq", code=12)
    assert told(capsys, "methods", "-q") == ""


def test_a_script_reads_all_of_a_method(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = document(capsys, "methods", "della", "normalize", "dellaties", "--lang", "en")
    assert (found["name"], found["kind"], found["models"], found["base"]) == (
        "della", "tensor", None, "required",
    )  # fmt: skip
    assert found["random"]
    assert found["needs_torch"]
    assert not found["plugin"]
    assert "della_magprune" in found["aliases"]
    assert "arXiv:2406.11617" in found["sources"]
    density = next(one for one in found["parameters"] if one["name"] == "density")
    assert density == {
        "name": "density", "kind": "number", "default": 0.5, "required": False, "range": [0, 1],
        "words": [], "per_model": True, "text": "how much of each difference is kept",
    }  # fmt: skip
    rescale = next(one for one in found["parameters"] if one["name"] == "rescale")
    assert (rescale["default"], rescale["words"]) == ("1/p", ["none", "1/p", "l1"])


def test_a_method_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "explain", "ties", "--lang", "en")
    row = built_in()["ties"]
    assert row.formula in text
    assert row.summary["en"] in text
    assert "2 or more models + base" in text
    assert re.search(r"density +0.2 +0–1 +how much of each difference is kept", text)
    assert "arXiv:2306.01708" in text
    assert "kanna merge ties A.safetensors B.safetensors --base BASE.safetensors" in text
    assert text == told(capsys, "explain", "ties_sum", "--lang", "en")
    assert JAPANESE.search(told(capsys, "explain", "dare", "ties", "--lang", "ja"))
    (page,) = document(capsys, "explain", "TIES")["pages"]
    assert page["type"] == "method"
    assert page == {"type": "method", **document(capsys, "methods", "ties", "tiessum")[0]}


def test_what_a_word_meant_before_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    types = [page["type"] for page in document(capsys, "explain", "clip")["pages"]]
    assert types[-1] == "method"
    assert len(types) > 1


def test_a_method_can_be_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert "model-stock" in told(capsys, "explain", "model-stok", "--lang", "en", code=12)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_folds_to_eighty_columns(
    language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: terminal_size((80, 24)))
    monkeypatch.setenv("NO_COLOR", "1")
    set_language(language)
    with monkeypatch.context() as patch:
        patch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        for method in built_in().values():
            lines = "\n".join(page_lines(method)).split("\n")[:-1]  # the last is a command
            long = [line for line in lines if width(line) > 80 and not re.search(r"\S{40}", line)]
            assert not long, (method.name, long)
    capsys.readouterr()


@pytest.mark.parametrize("method", built_in().values(), ids=lambda method: method.name)
def test_rows_say_all_that_people_ask(method: api.Method) -> None:
    texts = [method.title, method.summary, *(one.text for one in method.parameters)]
    for text in texts:
        assert text.keys() == {"en", "ja"}
        assert all(text.values())
    assert JAPANESE.search(method.summary["ja"])
    assert method.formula
    assert method.sources


def writer() -> ModuleType:
    path = ROOT / "tools" / "write_method_docs.py"
    spec = importlib.util.spec_from_file_location("method_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_docs_are_those_of_the_rows(language: str) -> None:
    pages = writer()
    path: Path = pages.PAGES[language]
    assert path.read_text(encoding="utf-8") == pages.page(language), (
        "run python tools/write_method_docs.py"
    )
