"""Blocks: every tensor has one, the same that other programs count, in every layout."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib import import_module

import pytest

from kanna.families import tables
from kanna.families.block_maps import _maps
from kanna.families.blocks import Blocks, blocks_of
from kanna.families.keys import expand_lines
from kanna.identify import identify
from model_headers import headers, known, model_of

MODELS = [
    name for name in headers()
    if any(part.role == "diffusion_model" for part in known(name).parts)
]  # fmt: skip
SD1, SDXL, FLUX = "sd15-fp16-pruned", "sdxl-base-fp16", "flux1-dev-bf16-aio"


@cache
def blocks(name: str) -> Blocks:
    return blocks_of(headers()[name].model(), known(name))


def block_of(name: str, tensor: str) -> str:
    place = blocks(name).place(tensor)
    assert place is not None
    return place.block


def parameters_by_block(name: str, role: str = "diffusion_model") -> Counter[str]:
    counts: Counter[str] = Counter()
    for tensor, place in blocks(name).places.items():
        if place.role == role:
            counts[place.block] += headers()[name].tensors[tensor].numel
    return counts


# --- every tensor has a block ------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_every_tensor_of_a_diffusion_model_is_in_a_block_of_its_own(name: str) -> None:
    found = blocks(name)
    assert found.places.keys() == set(headers()[name].tensors)
    loose = [
        place.path for place in found.places.values()
        if place.role == "diffusion_model" and place.block == "BASE"
    ]  # fmt: skip
    assert set(loose) <= {"scaled_fp8"}  # a marker, no weight
    assert {place.block for place in found.places.values()} <= set(found.names)


@pytest.mark.parametrize("name", MODELS)
def test_numbered_blocks_are_numbered_without_gaps(name: str) -> None:
    there = {place.block for place in blocks(name).places.values()}
    numbered = [word for word in blocks(name).names if word[-2:].isdigit()]
    lost = {"M00"} if name == "koala-1b-fp16" else set()
    assert set(numbered) - lost <= there
    assert len(numbered) > 3
    assert blocks(name).depth


def test_every_row_of_a_map_is_for_names_that_there_are() -> None:
    listed = [
        path
        for family in tables()["families"].values()
        for lines in family.get("keys", {}).values()
        for path, _ in expand_lines(filter(None, lines.split("\n")))
    ]
    paths = {*listed, *(place.path for name in MODELS for place in blocks(name).places.values())}
    unused = {
        row.pattern.pattern
        for plan in _maps().values()
        for row in plan.rows
        if not any(map(row.pattern.match, paths))
    }
    assert unused == {
        r"cfg_embedder(?:\.|$)"
    }  # of Sana Sprint, which is listed as diffusers has it
    assert set(_maps()) <= {known(name).architecture for name in MODELS} | set(tables()["families"])


# --- as other programs count -------------------------------------------------------------------


def supermerger(key: str) -> str:
    """What SuperMerger makes of a name of SD1, told anew: its tests, in its order, on substrings."""
    if "time_embed" in key:
        return "IN00"
    if ".out." in key:
        return "OUT11"
    for word, label in (("input_blocks", "IN"), ("output_blocks", "OUT")):
        if found := re.search(rf"\.{word}\.(\d+)\.", key):
            return f"{label}{int(found[1]):02}"
    return "M00" if ".middle_block." in key else "BASE"


def supermerger_xl(key: str) -> tuple[str, str]:
    """The same for SDXL: the word of its long list, and that of its short one."""
    fixed = {
        "label_emb": ("LABEL", "IN00"), "time_embed": ("TIME", "IN00"),
        "conditioner.embedders.0.": ("CLIPL", "BASE"), "conditioner.embedders.1.": ("CLIPG", "BASE"),
        "first_stage_model": ("VAE", "BASE"), "model.diffusion_model.out.": ("OUT9", "OUT08"),
    }  # fmt: skip
    for word, pair in fixed.items():
        if word in key:
            return pair
    digits = "".join(letter for letter in key if letter.isdigit())
    found = re.search(r"transformer_blocks\.(\d+)\.", key)
    block = found[1] if found else ""
    if "middle_block" in key:
        return f"MID{digits[0]}0{block}", "M00"
    label = "IN" if "input_blocks" in key else "OUT"
    return f"{label}{digits[:2]}{block}", f"{label}0{digits[0]}"


def flux_in_supermerger(key: str) -> str:
    for word, block in (("t5xxl", "T5"), ("text_encoders.clip", "CLIP")):
        if word in key:
            return block
    for word, letter in (("double_blocks", "D"), ("single_blocks", "S")):
        if found := re.search(rf"{word}\.(\d+)\.", key):
            return f"{letter}{int(found[1]):02}"
    return "IN" if "_in" in key else "OUT"


def test_sd1_counts_as_supermerger_does_but_for_the_vae() -> None:
    differing = {
        (place.block, supermerger(name))
        for name, place in blocks(SD1).places.items()
        if place.block != supermerger(name)
    }
    assert differing == {("VAE", "BASE")}
    assert blocks(SD1).lists[26] == (
        "BASE", *(f"IN{i:02}" for i in range(12)), "M00", *(f"OUT{i:02}" for i in range(12))
    )  # fmt: skip
    assert blocks(SD1).lists[25] == blocks(SD1).lists[26][1:]


def test_sdxl_counts_as_supermerger_does_but_for_the_vae() -> None:
    places = blocks(SDXL).places
    differing = {
        (place.block, supermerger_xl(name)[1])
        for name, place in places.items()
        if place.block != supermerger_xl(name)[1]
    }
    assert differing == {("VAE", "BASE")}
    assert [*places] == [n for n, p in places.items() if p.fine == supermerger_xl(n)[0]]
    # M00 is M00, and not IN09 as SuperMerger labels it in rules by element.
    assert block_of(SDXL, "model.diffusion_model.middle_block.1.norm.weight") == "M00"


def test_the_long_list_has_a_place_for_every_tensor_where_supermerger_fails_for_other_models() -> (
    None
):
    found = blocks(SDXL)
    assert len(found.lists[110]) == len(set(found.lists[110])) == 110
    assert {place.fine for place in found.places.values()} == set(found.fine) - {"IN0"}
    # There the labels of SD1 and FLUX are looked up in the same list, and are not in it.
    for other in (SD1, FLUX):
        assert 110 not in blocks(other).lists
        assert not {place.fine for place in blocks(other).places.values()} - {""}


def test_flux_counts_as_supermerger_does() -> None:
    for name, place in blocks(FLUX).places.items():
        assert place.block == ("VAE" if place.role == "vae" else flux_in_supermerger(name))
    assert blocks(FLUX).lists[61] == (
        "CLIP", "T5", "IN", *(f"D{i:02}" for i in range(19)), *(f"S{i:02}" for i in range(38)), "OUT"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "method", "listed", "exceptions"),
    [
        (SD1, "sd1_blocks_to_ldm", ("sd1-supermerger_blocks", "sd1-ldm"),
         {("time_embed", "IN00", "BASE"), ("first_stage_model", "VAE", "BASE")}),
        (SDXL, "sdxl_blocks_to_sgm", ("sdxl-supermerger_blocks", "sdxl-sgm"),
         {("time_embed", "IN00", "BASE"), ("label_emb", "IN00", "BASE")}),
    ],
)  # fmt: skip
def test_sd_mecha_counts_alike_but_for_what_comes_in_beside(
    name: str, method: str, listed: tuple[str, str], exceptions: set[tuple[str, str, str]]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("sd_mecha")  # fills the registries
        merge_methods = import_module("sd_mecha.extensions.merge_methods")
        model_configs = import_module("sd_mecha.extensions.model_configs")
    theirs, ours = map(model_configs.resolve, listed)
    links = merge_methods.resolve(f"convert_{method}").build_key_map([theirs], {}, ours)
    mine = blocks(name).places.keys() & set(ours.keys())
    assert len(mine) > len(blocks(name).places) - 5  # position ids have other names there
    differing = set()
    for tensor in mine:
        found, block = links[tensor].clauses[0].by_param["blocks"][0], block_of(name, tensor)
        if found != block:
            part = tensor.removeprefix("model.diffusion_model.").partition(".")[0]
            differing.add((part, block, found))
    assert differing == exceptions
    assert set(theirs.keys()) | {"VAE"} == set(blocks(name).names)


# --- in every layout ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("original", "other"),
    [
        (SD1, "sd15-unet-diffusers-f16"),
        ("sd21-fp16-pruned", "sd2-unet-diffusers-f32"),
        (SDXL, "sdxl-unet-diffusers-f16"),
        ("flux1-dev-bf16", "flux1-dev-diffusers-bf16"),
        ("sana-1600m-orig-st-bf16", "sana-1600m-diffusers-bf16"),
        ("hunyuan-video-t2v-orig-bf16", "hunyuan-video-t2v-bf16"),
    ],
)
def test_blocks_hold_as_many_numbers_in_every_layout(original: str, other: str) -> None:
    mine, theirs = parameters_by_block(original), parameters_by_block(other)
    if original.startswith("sana"):  # y_embedding, the empty prompt, is left out by diffusers
        mine["IN"] -= 300 * 2304
    assert mine == theirs
    assert blocks(original).depth == blocks(other).depth


def test_paths_are_those_of_the_original() -> None:
    place = blocks("sd15-unet-diffusers-f16").place("conv_in.weight")
    assert place is not None
    assert (place.path, place.words) == ("input_blocks.0.0.weight", ("IN00",))
    assert block_of("sdxl-unet-diffusers-f16", "conv_norm_out.bias") == "OUT08"
    assert block_of("flux1-dev-diffusers-bf16", "proj_out.weight") == "OUT"


def test_a_distilled_model_has_lists_of_its_own() -> None:
    koala = blocks("koala-1b-fp16")
    assert koala.lists.keys() == {13, 14, 15}
    assert not koala.foreign
    assert block_of("koala-1b-fp16", "model.diffusion_model.out.2.bias") == "OUT05"
    assert blocks("ssd1b-fp16").lists.keys() == {19, 20, 21, 110}


def test_text_encoders_have_words_of_their_own() -> None:
    words = {place.words for place in blocks(SDXL).places.values() if place.role == "text_encoder"}
    assert words == {("BASE", "CLIPL"), ("BASE", "CLIPG")}
    sd3 = {place.words for place in blocks("sd3-medium-incl-clips-t5xxlfp16").places.values()}
    assert {("BASE", "CLIPL"), ("BASE", "CLIPG"), ("BASE", "T5"), ("VAE",)} <= sd3


# --- without a map -----------------------------------------------------------------------------


def unmapped(names: Iterable[str]) -> Blocks:
    model = model_of(dict.fromkeys(names, (4, 4)))
    return blocks_of(model, identify(model))


def test_names_of_no_known_model_are_no_block_of_their_own() -> None:
    found = unmapped(["a.1.b.weight"])
    assert found.names == ("BASE",)
    assert not found.lists


def test_a_part_without_a_map_is_counted_by_its_numbers() -> None:
    name = next(n for n in headers() if n.startswith("te-") or headers()[n].kind == "text_encoder")
    found = blocks(name)
    numbered = [word for word in found.names if word.rpartition(".")[2].isdecimal()]
    assert len(numbered) > 10
    assert [step for step, *_ in found.depth] == numbered
    stem = numbered[0].rpartition(".")[0]
    assert numbered == [f"{stem}.{number}" for number in range(len(numbered))]
    # Block 1 does not take what is in blocks 10 and on.
    first = {place.path for place in found.places.values() if place.block == f"{stem}.1"}
    assert all(path.startswith(f"{stem}.1.") for path in first)
    assert "BASE" in found.words
    assert not found.lists


def test_a_lone_vae_is_counted_by_its_numbers_and_is_the_vae_too() -> None:
    name = next(n for n in headers() if headers()[n].kind == "vae" and known(n).layout == "ldm")
    found = blocks(name)
    assert "encoder.down.3" in found.names
    assert {place.words[-1] for place in found.places.values()} == {"VAE"}
    assert not found.depth
