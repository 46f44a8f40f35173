"""The error report: its numbers against numpy, its blocks, and a picture that nothing breaks."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.cli.error_report import error_lines
from kanna.kernel import Comparison
from kanna.messages import LANGUAGES, set_language
from kanna.ops.error_picture import error_svg
from kanna.ops.error_report import ErrorReport, block_of, error_report

SVG = "{http://www.w3.org/2000/svg}"


def compared(before: np.ndarray, after: np.ndarray) -> Comparison:
    x, y = before.astype(np.float64), after.astype(np.float64)
    d = y - x
    largest = float(np.abs(d).max(initial=0))
    return Comparison(x.size, float(x @ x), float(y @ y), float(x @ y), float(d @ d), largest)


RANDOM = np.random.default_rng(1)
BEFORE = {
    name: RANDOM.standard_normal(64).astype(np.float32)
    for name in (
        "time_in.in_layer.weight",
        "double_blocks.0.img_attn.qkv.weight",
        "double_blocks.0.img_mlp.0.weight",
        "double_blocks.1.img_attn.qkv.weight",
        "single_blocks.10.linear1.weight",
    )
}
NOISE = {name: RANDOM.standard_normal(64) * 0.01 * n for n, name in enumerate(BEFORE)}
AFTER = {name: (values + NOISE[name]).astype(np.float32) for name, values in BEFORE.items()}


def measured(prefix: str = "") -> dict[str, Comparison]:
    return {prefix + name: compared(values, AFTER[name]) for name, values in BEFORE.items()}


def test_the_numbers_are_those_of_the_definition() -> None:
    report = error_report(measured())
    x, y = np.concatenate(list(BEFORE.values())), np.concatenate(list(AFTER.values()))
    x, y = x.astype(np.float64), y.astype(np.float64)
    overall = report.overall
    assert (overall.tensors, overall.numbers) == (5, 320)
    assert overall.relative_rms == pytest.approx(np.sqrt(np.mean((y - x) ** 2) / np.mean(x**2)))
    assert overall.cosine == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    assert overall.largest == np.abs(y - x).max()


def test_stacks_of_blocks_stand_in_file_order_and_the_worst_tensors_in_theirs() -> None:
    report = error_report(measured())
    names = ["time_in", "double_blocks.0", "double_blocks.1", "single_blocks.10"]
    assert [row.name for row in report.blocks] == names
    assert [row.tensors for row in report.blocks] == [1, 2, 1, 1]
    assert [row.name for row in report.worst] == list(BEFORE)[:0:-1]
    assert report.blocks[0].exact
    assert report.worst_of["double_blocks.0"] == report.worst[2].relative_rms


def test_blocks_stand_by_their_numbers_where_a_file_sorts_its_names() -> None:
    one = Comparison(1, 1.0, 1.0, 1.0, 0.1, 0.1)
    names = [f"b.{n}.x.w" for n in (0, 1, 10, 11, "9" * 5000, 2)] + [
        "a.w",
        "c.3.x.w",
        "b.5.x.w",
        "time.0.w",
    ]
    report = error_report(dict.fromkeys(names, one))
    found = [row.name for row in report.blocks]
    assert found == [
        "b.0",
        "b.1",
        "b.2",
        "b.5",
        "b.10",
        "b.11",
        "b." + "9" * 5000,
        "a",
        "c.3",
        "time",
    ]


def test_the_prefix_of_the_only_part_is_left_out_and_that_of_several_is_not() -> None:
    prefixes = ("", "model.diffusion_model.", "vae.")
    alone = error_report(measured("model.diffusion_model."), prefixes)
    assert [row.name for row in alone.blocks][1] == "double_blocks.0"
    two = error_report(measured("model.diffusion_model.") | measured("vae."), prefixes)
    assert [row.name for row in two.blocks][1] == "model.diffusion_model.double_blocks.0"
    assert len(two.blocks) == 8


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight", "input_blocks.4"),
        ("input_blocks.0.0.weight", "input_blocks.0"),
        ("time_embed.0.weight", "time_embed"),
        ("encoder.block.3.layer.0.SelfAttention.q.weight", "encoder.block.3"),
        ("final_layer.linear.weight", "final_layer"),
        ("pos_embed", "pos_embed"),
        ("0.weight", "0"),
        ("", ""),
    ],
)
def test_a_block_is_named_by_the_first_number(name: str, block: str) -> None:
    assert block_of(name) == block


def test_what_is_not_defined_is_null_and_the_document_stays_json() -> None:
    nothing = Comparison(4, 0.0, 0.0, 0.0, 0.0, 0.0)
    broken = Comparison(4, float("inf"), 1.0, float("inf"), float("inf"), float("inf"))
    made_up = Comparison(4, 0.0, 1.0, 0.0, 1.0, 1.0)
    report = error_report({"a.0.x.w": nothing, "b.0.x.w": broken, "c.0.x.w": made_up})
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert [row["relative_rms"] for row in document["blocks"]] == [0.0, None, None]
    assert [row["cosine"] for row in document["blocks"]] == [1.0, None, None]
    assert [row["name"] for row in document["worst"]] == ["b.0.x.w", "c.0.x.w"]
    ET.fromstring(error_svg(report))


def drawn(report: ErrorReport, subject: str = "") -> ET.Element:
    return ET.fromstring(error_svg(report, subject=subject))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_has_a_bar_for_each_block_that_lost_something(language: str) -> None:
    set_language(language)
    svg = drawn(error_report(measured()), "a.safetensors → nf4")
    assert svg.get("lang") == language
    assert [len(svg.findall(f"{SVG}{kind}")) for kind in ("title", "desc")] == [1, 1]
    bars = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("class") == "bar"]
    lengths = [float(rect.get("width", "0")) for rect in bars[1:]]  # the first is the legend's
    report = error_report(measured())
    errors = [row.relative_rms or 0 for row in report.blocks if not row.exact]
    assert np.argsort(lengths).tolist() == np.argsort(errors).tolist()
    width = float(svg.get("width", "0"))
    assert all(0 < float(text.get("x", "-1")) < width for text in svg.iter(f"{SVG}text"))


def test_the_picture_fetches_nothing() -> None:
    text = error_svg(error_report(measured()))
    for word in ("href", "url(", "@import", "<script", "font-face"):
        assert word not in text


def test_the_picture_has_its_colours_without_custom_properties() -> None:
    """Viewers that know none (librsvg, Inkscape) would draw black on black."""
    text = error_svg(error_report(measured()))
    assert "var(" not in text
    light = text[: text.index("@media")]
    assert all(f".kanna-error .{kind}{{" in light for kind in ("paper", "bar", "worst", "grid"))


@given(st.dictionaries(st.text(max_size=60), st.floats(0, 1e30), max_size=8), st.text())
@settings(max_examples=150)
def test_no_name_and_no_number_breaks_the_picture(errors: dict[str, float], subject: str) -> None:
    sums = {name: Comparison(1, 1.0, 1.0, 1.0, error, error) for name, error in errors.items()}
    svg = drawn(error_report(sums), subject)
    assert {child.tag.removeprefix(SVG) for child in svg.iter()} <= {
        "svg", "title", "desc", "style", "rect", "text", "circle", "path", "g",
    }  # fmt: skip


def test_names_that_look_like_markup_stay_text() -> None:
    evil = "</text><script>alert(1)</script>&\"'\x1b[31m\ud800"
    svg = drawn(error_report({evil: Comparison(1, 1.0, 1.0, 1.0, 0.5, 0.5)}), evil)
    assert not list(svg.iter(f"{SVG}script"))
    assert "<script>" in "".join(svg.itertext())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_names_all_blocks_and_the_worst_tensors(language: str) -> None:
    set_language(language)
    lines = "\n".join(error_lines(error_report(measured()), verbose=False))
    for word in ("time_in", "double_blocks.1", "single_blocks.10.linear1.weight"):
        assert word in lines


def test_the_table_of_many_blocks_shows_the_worst_and_says_how_many_more() -> None:
    sums = {
        f"blocks.{n}.attn.w": Comparison(1, 1.0, 1.0, 1.0, 1e-6 * (n + 1), 1e-3) for n in range(60)
    }
    report = error_report(sums)
    few = "\n".join(error_lines(report, verbose=False))
    assert "blocks.59" in few
    assert "blocks.0 " not in few
    assert "36 more" in few
    assert len(error_lines(report, verbose=True)) > 60


def test_where_nothing_changed_the_table_says_so() -> None:
    sums = {"a.0.x.w": Comparison(1, 1.0, 1.0, 1.0, 0.0, 0.0)}
    assert error_lines(error_report(sums), verbose=False)[1:] == ["  No number changed."]
