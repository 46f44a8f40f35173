"""The picture of a comparison: sound XML, everything inside its frame, nothing from a file runs."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from diff_models import UNET, mixed, reported, weights
from kanna.messages import set_language
from kanna.ops.diff import DiffReport
from kanna.ops.diff_picture import diff_svg

SVG = "{http://www.w3.org/2000/svg}"
A = weights(1)
C = weights(2, near=A)


def drawn(report: DiffReport, first: str = "a", second: str = "b") -> ET.Element:
    return ET.fromstring(diff_svg(report, first, second))


def cells(root: ET.Element) -> dict[str, ET.Element]:
    return {one.findtext(f"{SVG}title") or "": one for one in root.iter(f"{SVG}rect")
            if one.find(f"{SVG}title") is not None}  # fmt: skip


def texts(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


def test_it_has_a_cell_for_each_group_of_each_block() -> None:
    report = reported(A, C)
    wanted = sum(len(block.groups) + 1 for block in report.blocks)
    assert len(cells(drawn(report))) == wanted


def test_everything_is_within_the_frame() -> None:
    root = drawn(reported(A, C), "x" * 500, "y" * 500)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    assert width == 900
    for one in (*root.iter(f"{SVG}rect"), *root.iter(f"{SVG}text")):
        x, y = float(one.get("x", 0)), float(one.get("y", 0))
        assert 0 <= x <= x + float(one.get("width", 0)) <= width + 0.1
        assert 0 <= y <= y + float(one.get("height", 0)) <= height
    for text in texts(root):
        assert len(text) * 7 < width


def test_cells_do_not_overlap() -> None:
    boxes = set()
    for one in cells(drawn(reported(A, C))).values():
        box = one.get("x"), one.get("y")
        assert box not in boxes
        boxes.add(box)


def test_darker_is_farther() -> None:
    far = weights(9, near=A)
    name = UNET + "middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    near = {**A, name: (A[name] * np.float32(1.0001))}
    shades = []
    for other in (near, mixed(A, far, 0.1), mixed(A, far, 1.0)):
        found = cells(drawn(reported(A, other)))
        cell = next(one for told, one in found.items() if told.startswith("M00, attn1"))
        shades.append(int((cell.get("class") or "")[1:]))
    assert shades == sorted(set(shades))


def test_what_is_equal_has_a_colour_of_its_own() -> None:
    root = drawn(reported(A, mixed(A, C, {"M00": 1.0})))
    kinds = {told.split(",")[0]: one.get("class") for told, one in cells(root).items()}
    assert kinds["IN01"] == "same"
    assert str(kinds["M00"]).startswith("s")
    assert kinds["M00"] != "same"


def test_a_part_in_which_nothing_differs_is_one_row() -> None:
    root = drawn(reported(A, mixed(A, C, {"M00": 1.0})))
    assert texts(root).count("vae") == 1
    assert not [text for text in texts(root) if text.startswith("vae ")]


def test_it_says_what_it_shows() -> None:
    root = drawn(reported(A, mixed(A, C, 0.35), C), "base.safetensors", "mix.safetensors")
    assert "base.safetensors" in (root.findtext(f"{SVG}title") or "")
    assert any("mix.safetensors" in text for text in texts(root))
    assert any("α = 0.35" in text for text in texts(root))
    assert root.find(f"{SVG}desc") is not None


def test_names_become_no_markup() -> None:
    evil = '<script>alert(1)</script>"&\x1b[31m\u202e'
    report = reported(A, C)
    blocks = tuple(replace(one, row=replace(one.row, name=evil)) for one in report.blocks)
    text = diff_svg(replace(report, blocks=blocks), evil, evil)
    root = ET.fromstring(text)
    assert root.find(f".//{SVG}script") is None
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_same_report_gives_the_same_bytes() -> None:
    assert diff_svg(reported(A, C, threads=1)) == diff_svg(reported(A, C, threads=4))


def test_it_is_self_contained_and_knows_dark_paper() -> None:
    text = diff_svg(reported(A, C))
    assert "prefers-color-scheme:dark" in text
    assert not re.search(r"(href|url\(|@import|<image)", text)
    assert "var(" not in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_speaks_the_language_in_force(language: str) -> None:
    set_language(language)
    root = drawn(reported(A, C))
    assert root.get("lang") == language
    assert any("相対" in text for text in texts(root)) is (language == "ja")


def test_the_same_model_makes_a_picture_too() -> None:
    assert len(cells(drawn(reported(A, A)))) > 0


def test_endless_blocks_are_cut() -> None:
    report = reported(A, C)
    block = report.blocks[0]
    many = tuple(replace(block, row=replace(block.row, name=f"b.{n}")) for n in range(500))
    root = drawn(replace(report, blocks=many, parts=report.parts[:1]))
    assert any("300 more blocks" in text for text in texts(root))
    assert float(root.get("height", 0)) < 5000
