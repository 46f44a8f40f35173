"""Where models of a kind go below a program's folder, and that the library looks there for them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from kanna.catalog.programs import program_called
from kanna.errors import UnknownModel
from kanna.families.places import folders, kind_words
from kanna.inbox.folders import LAYOUTS, layout_of, place_for

PAIRS = [(layout, kind) for layout in LAYOUTS for kind in kind_words() if layout in folders(kind)]


@pytest.mark.parametrize(("layout", "kind"), PAIRS)
def test_the_library_looks_where_models_of_a_kind_are_put(layout: str, kind: str) -> None:
    program, place = program_called(layout), folders(kind)[layout]
    looked_through = {*program.models, *program.folders}
    assert looked_through & {place, *map(str, PurePosixPath(place).parents)}
    housed = {one for one in kind_words() if folders(one).get(layout) == place}
    assert program.folders.get(place, kind) in housed


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_kind_has_no_other_folder_in_the_library_than_for_the_inbox(layout: str) -> None:
    known = program_called(layout).folders
    for kind in set(known.values()):
        assert folders(kind).get(layout) in {*known, None}, kind


def test_a_folder_is_laid_out_as_it_is_already(tmp_path: Path) -> None:
    assert layout_of(tmp_path) == "comfyui"
    (tmp_path / "models" / "Lora").mkdir(parents=True)
    assert layout_of(tmp_path) in {"a1111", "forge"}
    assert place_for(tmp_path / "models", "lora", "a1111") == tmp_path / "models" / "Lora"
    with pytest.raises(UnknownModel):
        place_for(tmp_path, "training_state", "comfyui")
