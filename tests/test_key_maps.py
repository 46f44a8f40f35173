"""Names in one layout and in another: the tables, the blocks of UNets, and what a part needs."""

from __future__ import annotations

import os
import tracemalloc
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.errors import Incompatible
from kanna.families import Component, component, row_called, tables
from kanna.families.key_maps import (
    key_map,
    layout_map,
    layouts_of,
    table_of,
)
from kanna.families.keys import fits
from kanna.families.name_rows import (
    check_names,
    expand_side,
    highest_numbers,
    last_numbers,
    make_row,
    rows_of,
)
from kanna.families.name_tables import name_rows, name_tables
from kanna.families.old_names import renamed, standard_names
from kanna.families.unet_blocks import Unclear, unet_blocks
from kanna.identity import Part
from model_headers import headers, known, shapes_of

TABLES = sorted(name_tables())


def rows() -> list[Component]:
    return [component(number) for number in range(len(tables()["components"]))]


def part_of(row: Component) -> Part:
    """A part as it is found where this row of the tables recognised it."""
    variants = row.variants
    return Part(
        role=row.role, architecture=row.architecture, architecture_candidates=row.architectures,
        prefix="", names=(), parameters=0, bytes=0, dtypes={}, complete=True,
        variant=variants[0] if len(variants) == 1 else None, layout=row.layout, component=row.id,
    )  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_no_table_has_a_name_twice(table: str) -> None:
    for layout in layouts_of(table):
        for other in (word for word in layouts_of(table) if word != layout):
            both = {layout, other}
            shared = [row for row in name_rows(table) if both <= row.sides.keys()]
            names = [
                f"{row.inside}: {name}"
                for row in shared
                for group in expand_side(row.sides[layout], None)
                for name in group
            ]
            assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_names_its_sources_and_whom_it_is_for(table: str) -> None:
    raw, ids = name_tables()[table], {row.id for row in rows()}
    assert raw["sources"]
    assert len(layouts_of(table)) > 1
    assert set(raw.get("components", ())) <= ids
    parts = [replace(part_of(row), variant=word) for row in rows()
             for word in (*row.variants, *raw.get("variants", ()), None)]  # fmt: skip
    assert any(table_of(part) == table for part in parts)


def pairs() -> list[tuple[str, str]]:
    """The rows of one model in two layouts, both with a list of all tensors."""
    listed = [row for row in rows() if row.required and row.layout]
    return [
        (one.id, other.id)
        for one, other in permutations(listed, 2)
        if one.id.removesuffix(str(one.layout)) == other.id.removesuffix(str(other.layout))
        and table_of(part_of(one)) in {"unet", "unet-xl", "unet-svd", "vae-kl"}
    ]


@pytest.mark.parametrize(("here", "there"), pairs())
def test_a_map_turns_the_tensors_of_one_layout_into_exactly_those_of_the_other(
    here: str, there: str
) -> None:
    one, other = row_called(here), row_called(there)
    table = table_of(part_of(one))
    assert table is not None
    names = key_map(table, one.required, source=str(one.layout), target=str(other.layout))
    assert names.keys() == one.required.keys()
    assert sorted(names.values()) == sorted(other.required)
    sizes = {name: [size for size in rule or () if isinstance(size, int)]
             for name, rule in one.required.items()}  # fmt: skip
    full = [name for name, rule in one.required.items() if len(sizes[name]) == len(rule or ())]
    assert all(fits(tuple(sizes[name]), other.required[names[name]]) for name in full)


def test_those_pairs_are_every_unet_and_vae_that_is_known_in_two_layouts() -> None:
    found = {one.removesuffix("-ldm") for one, _ in pairs() if one.endswith("-ldm")}
    assert found == {
        "sd1-unet", "sd2-unet", "sdxl-unet", "sdxl-refiner-unet", "svd-unet", "bk-sdm-base-unet",
        "bk-sdm-small-unet", "bk-sdm-tiny-unet", "sdxs-512-unet", "sdxs-512-09-unet", "ssd-1b-unet",
        "vega-unet", "koala-1b-unet", "koala-700m-unet", "vae-kl-f8-c4", "vae-kl-f8-c16",
        "vae-flux2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("side", "names", "expanded"),
    [
        (["a.{0..last}"], ["a.0", "a.3.x"], [("a.0",), ("a.1",), ("a.2",), ("a.3",)]),
        (["a.{last..0}"], ["a.2"], [("a.2",), ("a.1",), ("a.0",)]),
        (["a.{last}.x"], ["a.2"], [("a.2.x",)]),
        (["a.{0..last-1}"], ["a.2"], [("a.0",), ("a.1",)]),
        (["a.{0..last-1}"], ["a.0"], []),
        (["a.{0..1}.b.{0,last}"], ["a.1.b.3.c"], [
            ("a.0.b.0",), ("a.0.b.3",), ("a.1.b.0",), ("a.1.b.3",)]),
        (["a.{0..last}.b.{last}"], ["a.1.b.2"], [("a.0.b.2",), ("a.1.b.2",)]),
        (["{a,b}.{last}"], ["a.1", "b.5"], [("a.5",), ("b.5",)]),
        (["a.{last}.q", "a.{last}.k"], ["a.1.q", "a.1.k"], [("a.1.q", "a.1.k")]),
        (["a.{0..last}"], ["b.1", "a.x", "a1.2", "a.1x"], None),
        (["a.{last}"], ["a.1234567"], None),
    ],
)  # fmt: skip
def test_last_is_the_highest_number_at_its_place(
    side: list[str], names: list[str], expanded: list[tuple[str, ...]] | None
) -> None:
    lasts = last_numbers(side, highest_numbers(names))
    assert (lasts if lasts is None else expand_side(side, lasts)) == expanded


# How many steps a level has, and whether they have an attention each.
LEVELS = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=4)


def diffusers_names(down: list[list[bool]], middle: list[bool], up: list[list[bool]]) -> set[str]:
    """A UNet of such blocks, each with or without an attention: a tensor of each of its layers."""
    found = {"conv_in.weight", "conv_norm_out.bias", "time_embedding.linear_1.weight"}
    for stem, levels, sampler in (("down_blocks", down, "down"), ("up_blocks", up, "up")):
        for level, steps in enumerate(levels):
            found |= {f"{stem}.{level}.resnets.{step}.conv1.weight" for step in range(len(steps))}
            found |= {f"{stem}.{level}.attentions.{step}.transformer_blocks.0.norm1.bias"
                      for step, attention in enumerate(steps) if attention}  # fmt: skip
            if level + 1 < len(levels):
                found.add(f"{stem}.{level}.{sampler}samplers.0.conv.weight")
    found |= {f"mid_block.resnets.{step}.norm2.weight" for step in range(len(middle))}
    found |= {
        f"mid_block.attentions.{step}.proj_in.weight" for step, has in enumerate(middle) if has
    }
    return found


@given(st.data(), LEVELS, st.lists(st.booleans(), max_size=3))
def test_any_unet_goes_to_the_other_layout_and_back(
    data: st.DataObject, levels: list[tuple[int, bool]], middle: list[bool]
) -> None:
    down = [[attention] * count for count, attention in levels]
    up = [[data.draw(st.booleans())] * (count + 1) for count, _ in reversed(levels)]
    names = diffusers_names(down, middle, up)
    there = layout_map("unet", names, source="diffusers", target="ldm")
    assert there.unmapped == ()
    ldm = {link.targets[0] for link in there.links}
    assert len(ldm) == len(names)
    inputs = {int(name.split(".")[1]) for name in ldm if name.startswith("input_blocks.")}
    assert inputs == set(range(sum(map(len, down)) + len(down)))
    back = layout_map("unet", ldm, source="ldm", target="diffusers")
    assert {link.targets[0] for link in back.links} == names
    assert back.unmapped == ()


@pytest.mark.parametrize("layout", ["ldm", "diffusers"])
@settings(max_examples=int(os.environ.get("KANNA_EXPLORE", "30")))
@given(data=st.data())
def test_a_unet_with_holes_is_refused_or_keeps_every_place(
    data: st.DataObject, layout: str
) -> None:
    """What is left of a damaged UNet never ends up in the place of something else."""
    whole = [*row_called(f"sd1-unet-{layout}").required]
    other = "ldm" if layout == "diffusers" else "diffusers"
    truth = key_map("unet", whole, source=layout, target=other)
    modules = sorted({name.rpartition(".")[0] for name in whole})
    steps = sorted({".".join(name.split(".")[:4]) + "." for name in whole})
    lost = data.draw(st.sets(st.sampled_from([*modules, *steps]), max_size=40))
    rest = [name for name in whole if not name.startswith(tuple(lost))]
    try:
        names = key_map("unet", rest, source=layout, target=other)
    except Incompatible:
        return
    assert all(truth[name] == found for name, found in names.items())


@pytest.mark.parametrize(
    ("layout", "names", "first"),
    [
        ("ldm", ["input_blocks.2.0.in_layers.0.weight"], "input_blocks.1"),
        ("ldm", ["input_blocks.1.0.op.weight"], "input_blocks.1"),
        ("ldm", ["input_blocks.1.0.strange.weight"], "input_blocks.1"),
        ("ldm", ["output_blocks.999.0.in_layers.0.weight"], "output_blocks.0"),
        ("ldm", ["output_blocks.0.1.proj_in.weight"], "output_blocks.0"),
        ("ldm", ["middle_block.1.norm.weight"], "middle_block.0"),
        ("diffusers", ["down_blocks.1.resnets.0.norm1.weight"], "down_blocks.0"),
        ("diffusers", ["up_blocks.0.resnets.1.norm1.weight"], "up_blocks.0"),
        ("diffusers", ["up_blocks.0.attentions.0.norm.weight"], "up_blocks.0"),
        ("diffusers", [f"up_blocks.{n}.resnets.0.norm1.weight" for n in (0, 1)], "up_blocks"),
        (
            "diffusers",
            [f"{n}_blocks.0.resnets.0.norm1.weight" for n in ("up", "down")],
            "up_blocks",
        ),
    ],
)
def test_blocks_that_make_no_unet_are_named(layout: str, names: list[str], first: str) -> None:
    with pytest.raises(Unclear, match=first):
        unet_blocks(names, layout)
    with pytest.raises(Incompatible, match=first):
        layout_map("unet", names, source=layout, target="ldm")


@pytest.mark.parametrize(
    "name",
    ["input_blocks.99999999999999.0.op.weight", f"input_blocks.{'9' * 5000}.0.op.weight", "",
     "input_blocks..0.op.weight", "down_blocks.-1.resnets.0.conv1.weight", "\udc80.weight", "."],
)  # fmt: skip
@pytest.mark.parametrize("table", ["unet", "vae-kl", "clip", "t5"])
def test_strange_names_have_no_place_and_cost_nothing(table: str, name: str) -> None:
    source, target, *_ = layouts_of(table)
    assert layout_map(table, [name], source=source, target=target).unmapped == (name,)


@pytest.mark.parametrize("tail", ["a." * 100_000 + "scale", "1." * 100_000 + "scale"])
def test_endless_names_take_neither_time_nor_memory(tail: str) -> None:
    """Each dot of a name asks what stands before it: 200,000 times 200,000 letters are too many."""
    names = ["img_in.weight", f"img_in.{tail}"]
    tracemalloc.start()
    links = layout_map("dit-flux", names, source="bfl", target="diffusers").links
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [link.targets for link in links] == [("x_embedder.weight",), (f"x_embedder.{tail}",)]
    assert peak < 30_000_000


def test_digits_of_other_scripts_number_no_block() -> None:
    names = ["down_blocks.0.resnets.0.conv1.weight", "down_blocks.١.resnets.0.conv1.weight"]
    assert "down_blocks." not in highest_numbers(names[1:])
    assert layout_map("unet", names, source="diffusers", target="ldm").unmapped == (names[1],)


GOOD = {"ldm": "a.{0..last}.w", "diffusers": "b.{0..last}.w"}


@pytest.mark.parametrize(
    "row",
    [
        {"ldm": "a.w"},
        {**GOOD, "swap": True},
        {**GOOD, "swap": "hf"},
        {**GOOD, "swap": "ldm", "transpose": "diffusers"},
        {**GOOD, "ldm": ["a.{0..last}.q", "a.{0..last}.k"], "swap": "ldm"},
        {**GOOD, "ldm": ["a.{0..last}.q", "a.{0..last}.k"], "rows": [1, 0]},
        {**GOOD, "ldm": "a.{0..2}.w"},
        {**GOOD, "ldm": "a.{0..last}.{0..last}.w"},
        {**GOOD, "inside": "resent"},
        {**GOOD, "rows": [1, 4]},
    ],
)
def test_rows_that_cannot_be_followed_are_refused(row: dict[str, object]) -> None:
    make_row(GOOD)
    with pytest.raises(ValueError):
        make_row(row)


def test_a_row_takes_the_place_of_those_that_it_shares_a_name_with() -> None:
    base = {
        "name": "x",
        "row": [GOOD, {"ldm": "c", "diffusers": "d"}, {"ldm": "e", "diffusers": "f"}],
    }
    like = {"name": "y", "like": "x", "row": [{"ldm": "c", "diffusers": "other"}]}
    found = rows_of(like, {"x": base})
    assert [row.sides["diffusers"] for row in found] == [("other",), ("b.{0..last}.w",), ("f",)]


def test_blocks_are_only_in_tables_that_say_how_they_are_found() -> None:
    table = {"name": "x", "role": "vae", "row": [{**GOOD, "inside": "resnet"}]}
    check_names({**table, "structure": "unet"}, {})
    with pytest.raises(ValueError):
        check_names(table, {})


def test_a_table_for_the_own_variant_goes_before_one_for_all() -> None:
    """No part finds two tables that are equally near, whichever way the files are sorted."""
    variants = {word for raw in name_tables().values() for word in raw.get("variants", ())}
    for row in rows():
        for variant in (*row.variants, *variants, None):
            part = replace(part_of(row), variant=variant)
            forwards, backwards = table_of(part), _table_read_backwards(part)
            assert forwards == backwards


def _table_read_backwards(part: Part) -> str | None:
    turned_around = dict(reversed(name_tables().items()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kanna.families.name_tables.name_tables", lambda: turned_around)
        return table_of(part)


def test_numbers_that_no_model_has_are_not_counted_to() -> None:
    names = ["encoder.down.999.block.0.norm1.weight"]
    with pytest.raises(Incompatible):
        layout_map("vae-dc-ae", ["encoder.stages.999.op_list.999.main.conv.conv.weight"],
                   source="ldm", target="diffusers")  # fmt: skip
    assert layout_map("vae-kl", names, source="ldm", target="diffusers").unmapped == ()


def test_a_vae_of_two_levels_is_counted_from_its_own_end() -> None:
    names = [f"decoder.up.{level}.block.0.conv1.weight" for level in (0, 1)]
    assert key_map("vae-kl", names, source="ldm", target="diffusers") == {
        names[0]: "decoder.up_blocks.1.resnets.0.conv1.weight",
        names[1]: "decoder.up_blocks.0.resnets.0.conv1.weight",
    }


@pytest.mark.parametrize(
    ("header", "role", "table"),
    [
        ("sd15-fp16-pruned", "diffusion_model", "unet"),
        ("sd21-unclip-h-fp32", "clip_vision", "clip-vision"),
        ("sd-x4-upscaler-fp32", "vae", "vae-kl"),
        ("koala-1b-fp16", "diffusion_model", "unet-xl"),
        ("sdxl-refiner-fp16", "text_encoder", "clip"),
        ("sd1-nai-fp32-ckpt", "text_encoder", "clip"),
        ("te-umt5-xxl-fp8-scaled", "text_encoder", "t5"),
        ("controlnet-sd1-fp16", "controlnet", "controlnet"),
        ("vae-sana-dcae-diffusers-f32", "vae", "vae-dc-ae"),
        ("vae-taesd-decoder", "vae", None),
    ],
)
def test_a_part_finds_its_table(header: str, role: str, table: str | None) -> None:
    part = known(header).part(role)
    assert part is not None
    assert table_of(part) == table
    assert table is None or part.layout in layouts_of(table)


def test_a_layout_that_a_table_lacks_has_none() -> None:
    assert table_of(part_of(row_called("sdxl-unet-nunchaku"))) is None
    assert table_of(part_of(row_called("sdxl-unet-ldm"))) == "unet-xl"
    with pytest.raises(KeyError):
        layout_map("vae-kl", [], source="ldm", target="nowhere")
    with pytest.raises(KeyError):
        layouts_of("nothing")


def test_older_spellings_are_read_and_never_written() -> None:
    assert layouts_of("vae-kl") == ("ldm", "diffusers")
    old = shapes_of("vae-sd1-diffusers-f32")
    assert "decoder.mid_block.attentions.0.query.weight" in old
    ldm = key_map("vae-kl", old, source="diffusers", target="ldm")
    assert sorted(ldm.values()) == sorted(shapes_of("sd15-fp16-pruned", "first_stage_model."))
    new = key_map("vae-kl", ldm.values(), source="ldm", target="diffusers")
    assert sorted(new.values()) == sorted(shapes_of("vae-sdxl-diffusers-f32"))


def test_a_tensor_that_is_there_twice_is_taken_once() -> None:
    """T5's embedding in both spellings: the second has no place."""
    found = layout_map("t5", ["encoder.embed_tokens.weight", "shared.weight"], source="hf", target="gguf")  # fmt: skip
    assert [link.sources for link in found.links] == [("shared.weight",)]
    assert found.unmapped == ("encoder.embed_tokens.weight",)


def test_of_tensors_that_become_one_none_may_be_missing() -> None:
    stem = "text_model.encoder.layers.0.self_attn."
    with pytest.raises(Incompatible) as caught:
        layout_map("clip", [f"{stem}q_proj.weight", f"{stem}v_proj.weight"], source="hf", target="openclip")  # fmt: skip
    assert caught.value.values["missing"] == f"{stem}k_proj.weight"


def test_the_clip_map_turns_nai_names_into_the_usual_ones() -> None:
    prefix = "cond_stage_model.transformer."
    nai = shapes_of("sd1-nai-fp32-ckpt", prefix)
    names = key_map("clip", nai, source="nai", target="hf")
    assert set(names.values()) == shapes_of("sd15-fp16-pruned", prefix).keys()
    assert standard_names("nai", nai) == names
    assert not standard_names("hf", nai)
    assert not standard_names(None, nai)
    assert renamed([prefix + name for name in nai], prefix, "nai") == {
        prefix + old: prefix + new for old, new in names.items() if old != new
    }


def test_every_header_has_all_its_tensors_in_the_map() -> None:
    """But for what only one layout has: position ids, markers, Kolors' projection, spare copies."""
    spare = {
        "text_model.embeddings.position_ids", "embeddings.position_ids", "encoder_hid_proj.weight",
        "encoder_hid_proj.bias", "encoder.embed_tokens.weight", "scaled_fp8", "spiece_model",
    }  # fmt: skip
    for name in headers():
        for part in known(name).parts:
            table = table_of(part)
            if table is None or table.startswith("dit-"):
                continue
            inside = [full.removeprefix(part.prefix) for full in part.names]
            for target in layouts_of(table):
                if (table, target) != ("clip-vision", "nai"):
                    found = layout_map(table, inside, source=str(part.layout), target=target)
                    assert set(found.unmapped) <= spare, (name, part.prefix, target)
