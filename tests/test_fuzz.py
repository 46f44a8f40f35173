"""Every parser over the fuzzer's corpus, and over inputs made of pieces of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz_seeds import seeds
from fuzz_targets import TARGETS

_DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=8)), min_size=1, max_size=4
)


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_fuzzer_kept_is_read_or_refused_in_words(target: str) -> None:
    assert seeds(target)
    for data in seeds(target):
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
@given(number=st.integers(0, 10**6), damage=_DAMAGE)
@settings(deadline=None, max_examples=60)
def test_damaged_inputs_are_read_or_refused_in_words(
    target: str, number: int, damage: list[tuple[float, int, bytes]]
) -> None:
    every = seeds(target)
    data = bytearray(every[number % len(every)])
    for place, removed, put in damage:
        at = int(place * len(data))
        data[at : at + removed] = put
    TARGETS[target](bytes(data))
