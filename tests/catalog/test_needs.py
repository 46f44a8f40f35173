"""What is missing is what no file of the library is, and what VAEs fit is in the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_rows import add_file
from kanna.catalog.conditions import Filters, conditions
from kanna.catalog.needs import NeededPart, needs_of
from kanna.catalog.store import Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.sqlite3") as opened:
        yield opened


def flux(library: Library, name: str = "flux") -> int:
    return add_file(library, f"/m/{name}.safetensors", kind="diffusion_model", architecture="flux",
                    missing_parts=["vae", "clip-l", "t5xxl"])  # fmt: skip


def encoder(library: Library, name: str, *words: str) -> int:
    part = {"role": "text_encoder", "variant": words[0] if len(words) == 1 else None,
            "variant_candidates": [*words], "complete": True}  # fmt: skip
    return add_file(library, f"/te/{name}.safetensors", kind="text_encoder", architecture="clip",
                    parts=[part])  # fmt: skip


def vae(library: Library, name: str, *architectures: str) -> int:
    part = {"role": "vae", "architecture": architectures[0] if len(architectures) == 1 else None,
            "architecture_candidates": [*architectures], "complete": True}  # fmt: skip
    return add_file(library, f"/vae/{name}.safetensors", kind="vae", parts=[part])


def parts(library: Library) -> dict[str, NeededPart]:
    return {part.word: part for part in needs_of(library, conditions(Filters())).parts}


def test_what_nobody_has_is_missing_and_named(library: Library) -> None:
    flux(library)
    flux(library, "other")
    found = parts(library)
    assert [part.word for part in found.values() if part.missing] == ["clip-l", "t5xxl", "vae"]
    assert [one.path.stem for one in found["vae"].needed_by] == ["flux", "other"]
    assert "ae.safetensors" in found["vae"].names
    (published,) = [one for one in found["vae"].published if one.filename == "ae.safetensors"]
    assert published.sha256.startswith("afc8e28272cd15db")


def test_what_serves_is_told(library: Library) -> None:
    flux(library)
    encoder(library, "clip_l", "clip-l")
    encoder(library, "t5", "t5xxl", "umt5-xxl")
    vae(library, "ae", "flux")
    found = needs_of(library, conditions(Filters()))
    assert not found.missing
    assert {part.word: [one.path.stem for one in part.served_by] for part in found.parts} == {
        "clip-l": ["clip_l"], "t5xxl": [], "vae": ["ae"],
    }  # fmt: skip
    (t5,) = [part for part in found.parts if part.word == "t5xxl"]
    assert [one.path.stem for one in t5.possible] == ["t5"]


def test_vaes_of_other_latents_do_not_serve(library: Library) -> None:
    add_file(library, "/m/sd1.safetensors", missing_parts=["vae"])
    vae(library, "ae", "flux")
    assert parts(library)["vae"].missing
    vae(library, "sd", "sd1", "sdxl")
    found = parts(library)["vae"]
    assert (found.missing, found.served_by) == (False, ())  # the header does not tell
    assert [one.path.stem for one in found.possible] == ["sd"]
    vae(library, "sd1", "sd1")
    assert [one.path.stem for one in parts(library)["vae"].served_by] == ["sd1"]


def test_what_draws_previews_is_no_vae(library: Library) -> None:
    flux(library)
    taesd = {"role": "vae", "architecture": "flux", "variant": "taesd", "complete": True}
    add_file(library, "/vae/taef1.safetensors", kind="vae", parts=[taesd])
    assert parts(library)["vae"].missing


def test_parts_inside_of_checkpoints_count_but_damaged_ones_do_not(library: Library) -> None:
    add_file(library, "/m/bare.safetensors", missing_parts=["vae"])
    broken = {"role": "vae", "architecture": "sd1", "complete": False}
    add_file(library, "/m/broken.safetensors", parts=[broken])
    assert parts(library)["vae"].missing
    add_file(library, "/m/full.safetensors", parts=[{**broken, "complete": True}])
    found = parts(library)["vae"]
    assert (found.missing, found.served_by) == (False, ())
    assert [one.path.stem for one in found.inside] == ["full"]


def test_what_is_gone_neither_needs_nor_serves(library: Library) -> None:
    add_file(library, "/m/gone.safetensors", missing_parts=["vae"], present=0)
    assert not needs_of(library, conditions(Filters(gone=None))).parts


def test_adapters_need_a_model_of_their_family(library: Library) -> None:
    for number in range(3):
        add_file(library, f"/l/{number}.safetensors", kind="lora", architecture="sdxl")
    add_file(library, "/e/e.pt", kind="embedding", architecture="sd1")
    add_file(library, "/m/sd1.safetensors")
    found = needs_of(library, conditions(Filters()))
    (model,) = found.models
    assert (model.architecture, len(model.needed_by), found.missing) == ("sdxl", 3, True)
