"""Presets: the formulas make the numbers that were published, and curves for any number of blocks."""

from __future__ import annotations

import re
from itertools import pairwise
from math import cos, pi
from pathlib import Path

import pytest

from kanna.errors import UsageError
from kanna.merging.presets import preset_called, presets

DOCS = Path(__file__).parents[2] / "docs"
BARS = "▁▂▃▄▅▆▇█"


def drawn(name: str, steps: int = 25) -> list[float]:
    return [preset_called(name).at(step, steps) for step in range(steps)]


# What csv/preset.tsv and mbwpresets.txt have: constant runs as "number x count".
RUNS = {
    "FLAT_25": "0.25x25", "FLAT_75": "0.75x25",
    "WRAP08": "1x4 0x17 1x4", "WRAP12": "1x6 0x13 1x6", "WRAP14": "1x7 0x11 1x7",
    "WRAP16": "1x8 0x9 1x8", "MID12_50": "0x5 0.5x14 0x6", "OUT07": "0x18 1x7",
    "OUT12": "0x13 1x12", "OUT12_5": "0x12 0.5x1 1x12",
    "RING08_SOFT": "0x5 0.5x1 1x3 0.5x1 0x5 0.5x1 1x3 0.5x1 0x5",
    "RING08_5": "0x6 1x4 0x5 1x4 0x6", "RING10_5": "0x5 1x5 0x5 1x5 0x5",
    "RING10_3": "0x6 1x5 0x3 1x5 0x6", "ALL_A": "0x25", "ALL_B": "1x25",
}  # fmt: skip

# A few of the published numbers of each curve, by their place among the 25.
PUBLISHED: dict[str, dict[int, float]] = {
    "GRAD_V": {0: 1, 1: 0.9166666667, 7: 0.4166666667, 12: 0, 13: 0.0833333333, 24: 1},
    "GRAD_A": {0: 0, 1: 0.0833333333, 12: 1, 23: 0.0833333333, 24: 0},
    "SMOOTHSTEP": {1: 0.00506365740740741, 8: 0.259259259259259, 23: 0.994936342592593},
    "REVERSE-SMOOTHSTEP": {1: 0.994936342592593, 23: 0.00506365740740744, 24: 0},
    "SMOOTHSTEP*2": {1: 0.0101273148148148, 11: 0.875289351851852, 12: 1, 20: 0.148148148148148},
    "R_SMOOTHSTEP*2": {8: 0.481481481481481, 12: 0, 24: 1},
    "SMOOTHSTEP*3": {10: 0.871527777777778, 9: 0.94921875, 15: 0.0507812500000004, 16: 0.2222222222},
    "R_SMOOTHSTEP*3": {9: 0.05078125, 12: 0.5, 24: 0},
    "SMOOTHSTEP*4": {8: 0.962962962962963, 9: 0.734375, 18: 0.625, 24: 0},
    "R_SMOOTHSTEP*4": {7: 0.177662037037037, 24: 1},
    "SMOOTHSTEP/2": {1: 0.0196759259259259, 12: 1, 15: 0.84375},
    "R_SMOOTHSTEP/2": {12: 0, 5: 0.623842592592593},
    "SMOOTHSTEP/3": {1: 0.04296875, 8: 1, 16: 0, 24: 1},
    "R_SMOOTHSTEP/3": {8: 0, 20: 0.5, 24: 0},
    "SMOOTHSTEP/4": {1: 0.0740740740740741, 6: 1, 12: 0, 24: 0},
    "R_SMOOTHSTEP/4": {6: 0, 12: 1, 24: 1},
    "COSINE": {1: 0.995722430686905, 8: 0.75, 24: 0},
    "REVERSE_COSINE": {1: 0.00427756931309475, 16: 0.75, 24: 1},
    "TRUE_CUBIC_HERMITE": {0: 0, 1: 0.199031876929012, 12: 0.520833333333333, 17: 0.444305796682099, 23: 0.842634789737655},
    "TRUE_REVERSE_CUBIC_HERMITE": {0: 1, 1: 0.800968123070988, 15: 0.54736328125, 24: 0},
    "FAKE_CUBIC_HERMITE": {0: 0, 1: 0.157576195987654, 12: 0.5, 19: 0.487003279320987, 24: 1},
    "FAKE_REVERSE_CUBIC_HERMITE": {1: 0.842423804012346, 16: 0.567901234567901, 24: 0},
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_steps_are_as_published(name: str) -> None:
    runs = (run.split("x") for run in RUNS[name].split())
    assert drawn(name) == [float(number) for number, count in runs for _ in range(int(count))]


@pytest.mark.parametrize("name", PUBLISHED)
def test_curves_are_as_published(name: str) -> None:
    made = drawn(name)
    for step, number in PUBLISHED[name].items():
        assert made[step] == pytest.approx(number, abs=1e-10), step


def test_every_preset_is_held_against_what_was_published() -> None:
    assert set(presets()) == {*RUNS, *PUBLISHED}
    assert len(presets()) == 38


@pytest.mark.parametrize("steps", [1, 2, 13, 19, 36, 57])
@pytest.mark.parametrize("name", presets())
def test_presets_stay_between_nought_and_one_for_any_number_of_blocks(
    name: str, steps: int
) -> None:
    assert all(-1e-12 <= number <= 1 + 1e-12 for number in drawn(name, steps))


def test_curves_keep_their_form_over_the_57_blocks_of_flux() -> None:
    valley = drawn("GRAD_V", 57)
    assert (valley[0], valley[28], valley[56]) == (1, 0, 1)
    assert all(a > b for a, b in pairwise(valley[:29]))
    assert drawn("COSINE", 57) == pytest.approx([(1 + cos(pi * i / 56)) / 2 for i in range(57)])
    wrap = drawn("WRAP12", 57)
    assert wrap == wrap[::-1]
    assert sum(wrap) / 57 == pytest.approx(12 / 25, abs=1 / 57)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("grad_v", "GRAD_V"), ("Grad-V", "GRAD_V"), ("NORMAL-SIGMOID", "SMOOTHSTEP"),
        ("reverse_smoothstep", "REVERSE-SMOOTHSTEP"), ("SMOOTHSTEPx2", "SMOOTHSTEP*2"),
        ("SMOOTHSTEP_2", "SMOOTHSTEP/2"), ("R_SMOOTHSTEPx3", "R_SMOOTHSTEP*3"),
    ],
)  # fmt: skip
def test_presets_are_known_in_the_spellings_that_files_and_shells_can_have(
    word: str, name: str
) -> None:
    assert preset_called(word).name == name


@pytest.mark.parametrize(
    ("word", "near"), [("GRADV", "GRAD_V"), ("cosin", "COSINE"), ("zz", "GRAD_V")]
)
def test_a_wrong_name_brings_the_nearest(word: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        preset_called(word)
    assert caught.value.key == "blocks.no_such_preset"
    assert caught.value.values["near"] == near


def picture(name: str) -> str:
    return "".join(BARS[round(7 * min(max(number, 0), 1))] for number in drawn(name))


@pytest.mark.parametrize("page", ["blocks.md", "blocks.ja.md"])
def test_the_pages_show_every_preset_as_it_is(page: str) -> None:
    rows = re.findall(
        rf"^\| `([^`]+)` \| `([{BARS}]+)` \|", (DOCS / page).read_text("utf-8"), re.MULTILINE
    )
    assert dict(rows) == {name: picture(name) for name in presets()}
