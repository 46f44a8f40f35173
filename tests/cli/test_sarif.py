"""SARIF documents: what pipelines rely on."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from kanna import __version__
from kanna.cli.sarif import SarifResult, SarifRule, sarif

RULES = [
    SarifRule(code="KN101", name="pickle", level="warning", short="A pickle.", full="It may run."),
    SarifRule(code="KN203", name="ids", level="error", short="Ids.", full="They are wrong."),
]


def result(path: str, code: str = "KN203", offset: int | None = None) -> SarifResult:
    return SarifResult(code=code, level="error", message="wrong", path=Path(path), offset=offset)


def test_a_result_points_at_its_rule_by_name_and_number() -> None:
    document = json.loads(json.dumps(sarif(RULES, [result("a"), result("b", "KN101")])))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("kanna", __version__)
    for found in run["results"]:
        assert driver["rules"][found["ruleIndex"]]["id"] == found["ruleId"]


@pytest.mark.parametrize("path", ["モデル v1.ckpt", "a b/c#d?e%.safetensors", "plain.ckpt"])
def test_a_path_becomes_a_uri_and_comes_back(path: str) -> None:
    (run,) = json.loads(json.dumps(sarif(RULES, [result(path)])))["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert unquote(urlparse(uri).path) == path
    assert not urlparse(uri).fragment


def test_an_absolute_path_is_a_file_uri(tmp_path: Path) -> None:
    (run,) = json.loads(json.dumps(sarif(RULES, [result(str(tmp_path / "x"))])))["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("file://")


def test_a_place_in_the_file_is_told_only_where_it_is_known() -> None:
    (run,) = json.loads(json.dumps(sarif(RULES, [result("a"), result("b", offset=0)])))["runs"]
    places = [found["locations"][0]["physicalLocation"] for found in run["results"]]
    assert "region" not in places[0]
    assert places[1]["region"] == {"byteOffset": 0}
