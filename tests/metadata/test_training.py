"""kohya's fields: read where they are what they should be, left out where not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.metadata.training import read_training

LORA = {
    "ss_base_model_version": "sdxl_base_v1-0",
    "ss_network_dim": "16",
    "ss_network_alpha": "8.0",
    "ss_learning_rate": "0.0001",
    "ss_resolution": "(1024, 1024)",
    "ss_clip_skip": "None",
    "ss_network_args": json.dumps({"algo": "loha", "conv_dim": "4"}),
    "ss_training_started_at": "1700000000.5",
    "ss_tag_frequency": json.dumps({"10_a": {"1girl": 20, " sky": 5}, "5_b": {"sky": 7}}),
    "ss_dataset_dirs": json.dumps({"10_a": {"n_repeats": 10, "img_count": 20}}),
    "ss_bucket_info": json.dumps(
        {"buckets": {"0": {"resolution": [768, 1152], "count": 3}, "1": {"resolution": [1, 2, 3]}}}
    ),
}


def test_what_people_read_is_there_in_their_words() -> None:
    training = read_training(LORA)
    assert training is not None
    assert training.facts == {
        "ss_base_model_version": "sdxl_base_v1-0", "ss_network_dim": "16", "ss_network_alpha": "8",
        "ss_network_args": "algo=loha, conv_dim=4", "ss_resolution": "1024x1024",
        "ss_learning_rate": "0.0001", "ss_training_started_at": "2023-11-14 22:13 UTC",
    }  # fmt: skip
    assert training.tags == (("1girl", 20), ("sky", 12))
    assert [(d.name, d.images, d.repeats) for d in training.datasets] == [("10_a", 20, 10)]
    assert training.buckets == (("768x1152", 3),)


def test_data_sets_of_the_newer_form_are_read_too() -> None:
    sets = [{"subsets": [{"image_dir": "x", "img_count": 4, "num_repeats": 2}, {"img_count": "4"}]}]
    training = read_training({"ss_datasets": json.dumps(sets)})
    assert training is not None
    assert [(d.name, d.images, d.repeats) for d in training.datasets] == [("x", 4, 2)]


def test_a_file_without_training_has_none() -> None:
    assert read_training({"format": "pt", "ss_clip_skip": "None"}) is None


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(ODD, st.sampled_from([*LORA]))
def test_nonsense_never_stops_the_reading(value: object, key: str) -> None:
    read_training({**LORA, key: json.dumps(value)})
    read_training({**LORA, key: str(value)})


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "1e999", "NaN", "9" * 5000, "-"])
def test_hostile_text_is_no_value(text: str) -> None:
    for key in LORA:
        read_training({key: text})
