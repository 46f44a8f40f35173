"""A merged, NAI-named, fp32 + EMA checkpoint: every defect is named, and mending leaves none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from judged import clean_checkpoint, codes, codes_of, mended, merged_checkpoint, subject
from kanna.findings import PURPOSES, Purpose, check
from kanna.findings.facts import Safety
from kanna.identity import said
from kanna.messages import LANGUAGES, set_language
from kanna.model import Note

DEFECTS = {
    "KN101": "a pickle",
    "KN203": "position ids that a merge averaged",
    "KN206": "NAI's names",
    "KN303": "an EMA that the merge left behind",
    "KN811": "Japanese in the name",
    "KN812": "a space in the name",
    "KN815": "a name that ends like an inpainting model's",
    "KN301": "an EMA",
    "KN401": "schedule buffers",
    "KN402": "trainer state",
    "KN403": "fp32",
}
NAME = "マージ model-inpainting.ckpt"


def test_every_defect_that_was_put_in_is_named() -> None:
    assert codes_of(merged_checkpoint(NAME), "generation") == sorted(DEFECTS)


def test_without_a_purpose_what_matters_for_one_only_stands_aside() -> None:
    findings = check(subject(merged_checkpoint(NAME)))
    assert codes(findings) == sorted(DEFECTS)
    aside = {finding.rule.code for finding in findings if finding.aside}
    assert aside == {"KN301", "KN401", "KN402", "KN403"}
    assert all(finding.severity == "note" for finding in findings if finding.aside)


@pytest.mark.parametrize("purpose", [None, *PURPOSES])
def test_mending_leaves_nothing_that_can_be_mended(purpose: Purpose | None) -> None:
    after = check(subject(mended(merged_checkpoint(NAME), purpose), purpose))
    assert [one.rule.code for one in after if one.repair is not None and not one.aside] == []
    aside = ["KN401", "KN403"]  # what counts for a purpose only stays where nobody asked for it
    left = {None: aside, "generation": [], "training": ["KN304"], "distribution": ["KN807"]}
    assert codes(after) == left[purpose]


def test_training_keeps_what_training_needs() -> None:
    found = codes_of(merged_checkpoint(), "training")
    assert found == ["KN101", "KN203", "KN206", "KN303"]


def test_every_finding_of_one_that_can_be_mended_has_its_command() -> None:
    findings = check(subject(merged_checkpoint(NAME), "generation"))
    for finding in findings:
        assert finding.command[:3] == ("kanna", "fix", NAME)
        assert finding.command[-2:] == ("--select", finding.rule.code)
        output = finding.command[finding.command.index("-o") + 1]
        assert output == "model-fixed.safetensors"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_can_be_said(language: str) -> None:
    set_language(language)
    for finding in check(subject(merged_checkpoint(NAME), "generation")):
        assert "{" not in said(finding.note)


def test_the_gravest_come_first() -> None:
    reason = Note("checkpoint.unknown_globals", {"count": 1, "names": "os.system"})
    danger = Safety(verdict="dangerous", reasons=(reason, reason))
    findings = check(subject(merged_checkpoint(), safety=danger))
    assert findings[0].rule.code == "KN102"
    assert findings[0].severity == "error"
    assert "os.system" in said(findings[0].note)


def test_a_clean_file_has_nothing_wrong_with_it() -> None:
    assert codes_of(clean_checkpoint()) == codes_of(clean_checkpoint(), "generation") == []


def test_what_cannot_be_written_anew_gets_no_command() -> None:
    model = replace(
        merged_checkpoint(), refused={"x": Note("formats.gguf_quantised", {"type": "q"})}
    )
    findings = check(subject(model))
    assert all(f.repair is None or not f.repair.options for f in findings)
    assert "KN106" in codes(findings)
