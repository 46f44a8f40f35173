from __future__ import annotations

from collections.abc import Mapping

import pytest

from kanna.errors import Incompatible
from kanna.families import old_names
from kanna.identify import identify
from kanna.ops.draft import Draft
from kanna.ops.names import rename_keys
from model_headers import headers, model_of

NAI = "cond_stage_model.transformer."


def renamed(odd: Mapping[str, tuple[int, ...]], header: str = "sd1-nai-fp32-ckpt") -> Draft:
    """The draft after renaming a file of `header` with `odd` tensors more."""
    model = model_of({**headers()[header].model(), **odd})
    draft = Draft.of(model, identify(model))
    rename_keys(draft)
    return draft


def test_a_nai_text_encoder_gets_the_names_of_all_others() -> None:
    draft = renamed({})
    here = {name for name in draft.outputs if name.startswith(NAI)}
    there = headers()["sd15-fp16-pruned"].tensors
    assert here == {name for name in there if name.startswith(NAI)}
    assert draft.done["renamed"] == len(here)


def test_what_the_map_does_not_know_keeps_its_name_unless_it_is_a_piece_of_a_known_weight() -> None:
    scale = "encoder.layers.0.mlp.fc1.scale_weight"
    names = renamed({NAI + scale: (1,), f"{NAI}some.thing": (1,)}).outputs
    assert f"{NAI}text_model.{scale}" in names
    assert f"{NAI}some.thing" in names


def test_standard_names_are_left_alone() -> None:
    draft = renamed({}, "sd15-fp16-pruned")
    assert list(draft.outputs) == list(draft.model)
    assert "renamed" not in draft.done


def test_both_spellings_in_one_file_are_never_doubled_or_overwritten() -> None:
    old = "final_layer_norm.weight"
    model = {NAI + "text_model." + old: (768,)}
    with pytest.raises(Incompatible):
        renamed(model)


def test_a_prefix_that_ends_as_the_new_name_begins_makes_the_name_standard() -> None:
    name = "final_layer_norm.weight"
    assert old_names.renamed([NAI + name], NAI, "nai") == {NAI + name: f"{NAI}text_model.{name}"}
    assert old_names.renamed([f"{NAI}text_model.{name}"], f"{NAI}text_model.", "nai") == {}
