"""Records of parts that lie: a join falls back or refuses, and never writes what nobody can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.errors import Incompatible, Incomplete, KannaError
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import TensorInfo
from kanna.ops.join import JoinPlan
from kanna.ops.part_record import RECORD, read_record, restored
from model_headers import Bytes, headers, model_of
from part_plans import Input, apart, together

WHOLE = "sd15-full-ema-fp32"


@cache
def parts() -> Mapping[str, Input]:
    return apart(headers()[WHOLE].model())


def said(part: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(parts()[part][0].metadata[RECORD])
    return found


def lying(part: str, **lies: object) -> list[Input]:
    """All parts, of which one says something else than is true."""
    model, identity = parts()[part]
    record = json.dumps({**said(part), **lies})
    liar = replace(model, metadata={**model.metadata, RECORD: record})
    return [(liar, identity), *(one for name, one in parts().items() if name != part)]


def seen(plan: JoinPlan) -> Identity:
    return identify(model_of({o.name: TensorInfo(o.name, o.dtype, o.shape, Bytes())
                              for o in plan.plan.outputs}))  # fmt: skip


def keys(plan: JoinPlan) -> list[str]:
    return [note.key for note in plan.plan.notes]


def elsewhere(part: str) -> dict[str, str]:
    return {name: f"elsewhere.{name}" for name in parts()[part][0]}


USUAL = list(headers()[WHOLE].tensors)
VAE = list(apart(headers()["sdxl-base-fp16"].model(), only=("vae",))["vae"][0])

Lie = tuple[str, dict[str, object]]


def each(part: str, field: str, *values: object) -> list[Lie]:
    return [(part, {field: value}) for value in values]


LIES: list[Lie] = [
    *each("vae", "role", "bogus", "conditioning", "leftovers", "clip_vision", "ema"),
    *each("vae", "word", "diffusion_model", "bogus", "\x1b[31m", "leftovers", "clip-l"),
    ("vae", {"role": "bogus", "word": "vae"}),
    *each("vae", "prefix", "", "\ud800", "\x00\n", "x" * 10_000, "model.diffusion_model."),
    *each("vae", "layout", "bogus", None),
    *each("vae", "places", [[10**4000, 248]]),
    *each("vae", "names", {VAE[0]: "__metadata__"}, {VAE[0]: VAE[1]}, {"not.there": "anywhere"}),
    *each("vae", "needs", [], ["\x1b[31m"], "vae", [["vae"]]),
    ("vae", {"source": "of another file", "names": elsewhere("vae")}),
    *each("unet", "prefix", "", "first_stage_model."),
    *each("unet", "layout", "diffusers"),
    *each("unet", "word", "vae"),
    ("unet", {"role": "vae", "word": "vae"}),
    *each("clip_l", "word", "clip-g"),
    *each("clip_l", "prefix", "first_stage_model."),
    *each("ema", "prefix", "nonsense."),
    *each("ema", "model", "evil."),
]


@pytest.mark.parametrize(("part", "lies"), LIES)
def test_a_lie_puts_no_part_where_nobody_looks_for_it(part: str, lies: dict[str, object]) -> None:
    plan = together(lying(part, **lies))
    identity = seen(plan)
    assert sorted(o.name for o in plan.plan.outputs) == sorted(USUAL)
    assert (identity.kind, identity.missing_parts) == ("checkpoint", ())
    assert identity.ema.complete


def test_a_record_that_is_not_believed_is_told_of() -> None:
    assert "join.records_wrong" in keys(together(lying("vae", prefix="")))
    assert "join.records_wrong" not in keys(together(parts().values()))


def test_a_place_that_only_kanna_knows_is_told_of() -> None:
    plan = together(lying("vae", prefix="my.vae."))
    assert seen(plan).part("vae").prefix == "my.vae."  # type: ignore[union-attr]
    (note,) = [note for note in plan.plan.notes if note.key == "join.back_to"]
    assert note.values["prefix"] == "my.vae."
    usual = together(lying("vae", prefix="my.vae."), program="comfyui")
    assert seen(usual).part("vae").prefix == "first_stage_model."  # type: ignore[union-attr]
    assert "join.back_to" not in keys(usual)
    assert "join.back_to" in keys(together(lying("vae", layout="diffusers")))
    assert "join.back_to" not in keys(together(parts().values()))


@pytest.mark.parametrize(
    ("part", "lies", "key"),
    [
        ("leftovers", {"prefix": "model.diffusion_model."}, "join.no_part"),
        ("leftovers", {"names": {"betas": "__metadata__"}}, "join.no_part"),
        ("leftovers", {"word": "vae"}, "join.no_part"),
        ("leftovers", {"role": "diffusion_model", "word": "diffusion_model"}, "join.no_part"),
        ("ema", {"role": "diffusion_model", "word": "diffusion_model"}, "join.twice"),
        ("ema", {"word": "vae"}, "join.twice"),
    ],
)
def test_what_would_be_something_else_without_its_record_is_refused(
    part: str, lies: dict[str, object], key: str
) -> None:
    with pytest.raises(Incompatible) as caught:
        together(lying(part, **lies))
    assert caught.value.key == key


@pytest.mark.parametrize("needs", [["diffusion_model"], ["clip-l"], ["\x1b[31m"], []])
def test_no_record_says_that_a_model_needs_nothing(needs: list[str]) -> None:
    with pytest.raises(Incomplete) as caught:
        together(lying("unet", needs=needs)[:1])
    assert caught.value.key == "join.missing"
    assert "VAE" in caught.value.message
    assert "CLIP-L" in caught.value.message


def test_a_variant_keeps_its_needs() -> None:
    whole = headers()["stable-zero123-fp16"].model()
    assert together(apart(whole).values()).missing == ()


TEXTS = st.text(max_size=12) | st.sampled_from(["vae", "diffusion_model", "leftovers", "ldm", "hf"])
VALUES = st.one_of(
    TEXTS, st.none(), st.integers(), st.lists(TEXTS | st.integers(), max_size=3),
    st.dictionaries(TEXTS | st.sampled_from(VAE[:3]), TEXTS, max_size=3),
    st.lists(st.lists(st.integers(-1, 300), min_size=2, max_size=2), max_size=3),
)  # fmt: skip
FIELDS = st.sampled_from(sorted(said("vae")))


@settings(max_examples=12)
@given(lies=st.dictionaries(FIELDS, VALUES, min_size=1, max_size=4))
def test_any_lie_ends_in_a_model_or_a_refusal(lies: dict[str, object]) -> None:
    try:
        plan = together(lying("vae", **lies))
    except KannaError:
        return
    assert seen(plan).kind == "checkpoint"
    assert seen(plan).missing_parts == ()


@given(lies=st.dictionaries(FIELDS, VALUES, max_size=9), text=st.text(max_size=40))
def test_no_text_breaks_the_reader_of_records(lies: dict[str, object], text: str) -> None:
    for field in (
        json.dumps({**said("vae"), **lies}),
        text,
        json.dumps({**said("vae"), **lies})[:-3],
    ):
        record = read_record({RECORD: field})
        if record is not None:
            assert len(set(record.numbers())) == record.count
            back = restored(parts()["vae"][0], None, record)
            assert back is None or len(back) == record.count
