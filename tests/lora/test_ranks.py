"""Ranks that singular values ask for: kohya's definitions, computed by hand."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.errors import UsageError
from kanna.lora.ranks import RankMethod, Ranks, ranks_of, share
from kanna.tensor_math.factor_values import Spectrum


def whole(*values: float) -> Spectrum:
    return known(values, sum(value**2 for value in values), sum(values), complete=True)


def known(
    values: tuple[float, ...], squares: float, total: float, *, complete: bool = False
) -> Spectrum:
    return Spectrum(values=values, squares=squares, total=total, complete=complete)


# sums 8, 12, 14, 15, 16; squares 64, 80, 84, 85, 86
EXAMPLE = whole(8, 4, 2, 1, 1)


@pytest.mark.parametrize(
    ("method", "value", "rank"),
    [
        ("ratio", 1.5, 1),  # above 5.33
        ("ratio", 2.0, 1),  # above 4, and 4 is not
        ("ratio", 2.1, 2),
        ("ratio", 100.0, 5),
        ("cumulative", 0.5, 1),
        ("cumulative", 0.51, 2),
        ("cumulative", 0.75, 2),
        ("cumulative", 0.9, 4),
        ("frobenius", 0.86, 1),  # 64/86 is 0.8627 squared
        ("frobenius", 0.87, 2),
        ("frobenius", 0.99, 4),  # 0.9801 * 86 = 84.3
        ("frobenius", 1.0, 5),
    ],
)
def test_dynamic_ranks_by_hand(method: RankMethod, value: float, rank: int) -> None:
    assert Ranks(method=method, value=value, most=32).choose(EXAMPLE) == rank


def test_no_rank_is_above_the_most_or_below_one() -> None:
    assert Ranks(method="ratio", value=100, most=3).choose(EXAMPLE) == 3
    assert Ranks(method="cumulative", value=1e-9, most=3).choose(EXAMPLE) == 1
    assert Ranks(most=3).choose(EXAMPLE) == 3
    assert Ranks(most=9).choose(EXAMPLE) == 5


def test_more_of_the_spectrum_is_asked_for_only_where_it_matters() -> None:
    first = known((8, 4), 86, 16)
    assert Ranks(most=3).choose(first) is None
    assert Ranks(most=2).choose(first) == 2
    assert Ranks(method="ratio", value=3, most=9).choose(first) is None
    assert Ranks(method="frobenius", value=0.96, most=9).choose(first) == 2
    assert Ranks(method="frobenius", value=0.99, most=9).choose(first) is None
    assert Ranks(method="cumulative", value=0.75, most=9).choose(first) == 2


def test_rounding_is_no_rank() -> None:
    assert Ranks(method="frobenius", value=1.0, most=9).choose(whole(3, 2, 1e-7, 1e-8)) == 2


falling = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40).map(
    lambda values: whole(*sorted(values, reverse=True))
)


@given(spectrum=falling, value=st.floats(0.01, 0.999))
def test_a_share_of_the_norm_is_kept_with_no_value_too_many(
    spectrum: Spectrum, value: float
) -> None:
    rank = Ranks(method="frobenius", value=value, most=99).choose(spectrum)
    assert rank is not None
    kept = [sum(v**2 for v in spectrum.values[:n]) for n in (rank - 1, rank)]
    goal = value * sqrt(spectrum.squares)
    assert sqrt(kept[1]) >= goal * (1 - 1e-9)
    assert rank == 1 or sqrt(kept[0]) <= goal * (1 + 1e-9)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("sv_fro:0.95"), Ranks(method="frobenius", value=0.95, most=64)),
        (("frobenius:.95"), Ranks(method="frobenius", value=0.95, most=64)),
        (("ratio:10"), Ranks(method="ratio", value=10, most=64)),
        (("sv_cumulative:1"), Ranks(method="cumulative", value=1, most=64)),
    ],
)
def test_words_for_dynamic_ranks(given: str, expected: Ranks) -> None:
    assert ranks_of(None, given, 64, default=32) == expected


@pytest.mark.parametrize(
    "given", ["", "ratio", "ratio:1", "ratio:nan", "ratio:inf", "cumulative:1.1", "frobenius:0",
              "fixed:3", "fro:0.9", "ratio:ten"],
)  # fmt: skip
def test_words_that_make_no_sense(given: str) -> None:
    with pytest.raises(UsageError):
        ranks_of(None, given, None, default=32)


def test_a_rank_and_a_dynamic_one_do_not_go_together() -> None:
    assert ranks_of(8, None, None, default=32) == Ranks(most=8)
    assert ranks_of(None, None, None, default=32) == Ranks(most=32)
    with pytest.raises(UsageError):
        ranks_of(8, "ratio:10", None, default=32)
    with pytest.raises(UsageError):
        ranks_of(8, None, 64, default=32)


def test_a_share_of_nothing_is_all() -> None:
    assert share(0.0, 0.0) == 1.0
    assert share(1.0, 4.0) == 0.5
