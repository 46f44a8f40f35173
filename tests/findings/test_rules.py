"""The rules as a whole: codes, messages, the table of checks, the reference pages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from kanna.findings import CHAPTERS, CHECKS, RULES
from kanna.findings.judging import _check_called
from kanna.findings.values import PURPOSES, SEVERITIES
from kanna.messages import LANGUAGES, say, set_language

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("writer", ROOT / "tools" / "write_check_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_codes_and_names_are_words_of_their_own() -> None:
    assert all(re.fullmatch(r"KN[1-8]\d\d", code) for code in RULES)
    assert list(RULES) == sorted(RULES)
    names = [rule.name for rule in RULES.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
    assert len(CHAPTERS) == 8


def test_every_rule_has_a_grade_and_purposes_that_there_are() -> None:
    assert all(rule.severity in SEVERITIES for rule in RULES.values())
    assert all(rule.purposes <= set(PURPOSES) for rule in RULES.values())


def test_every_rule_has_a_check_and_every_check_exists() -> None:
    asked = [code for _, codes, _ in CHECKS for code in codes]
    assert set(asked) == set(RULES)
    assert all(callable(_check_called(name)) for name, _, _ in CHECKS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", RULES)
def test_every_rule_says_why_in_two_sentences(code: str, language: str) -> None:
    set_language(language)
    title, why, fix = (say(f"findings.{code.lower()}_{what}") for what in ("title", "why", "fix"))
    end = r"[.!?](?=\s|$)" if language == "en" else "。"
    assert len(re.findall(end, why)) == 2, why
    assert len(re.findall(end, title)) == 0
    assert re.search(end, fix)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reference_pages_are_up_to_date(writer: ModuleType, language: str) -> None:
    page = writer.PAGES[language].read_text(encoding="utf-8")
    assert page == writer.page(language), "run python tools/write_check_docs.py"
