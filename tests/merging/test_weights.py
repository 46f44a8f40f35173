"""Weights: what lists, rules, presets and elements make of each tensor's number."""

from __future__ import annotations

from functools import cache
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.errors import UsageError
from kanna.families.blocks import Blocks, blocks_of
from kanna.merging.recipe import Step, Weight
from kanna.merging.weights import Weights
from kanna.messages import LANGUAGES, set_language
from model_headers import headers, known

SD1, SDXL, FLUX, VAE = "sd15-fp16-pruned", "sdxl-base-fp16", "flux1-dev-bf16-aio", "vae-flux-ae"
UNET = "model.diffusion_model."


@cache
def blocks(name: str) -> Blocks:
    return blocks_of(headers()[name].model(), known(name))


def weights(name: str = SD1) -> Weights:
    return Weights(blocks(name))


def table(text: str, name: str = SD1, value: float = 0.5) -> dict[str, float]:
    return dict(weights(name).table(Weight(value=value, blocks=text)))


def number(tensor: str, text: str = "", *elements: str, name: str = SD1) -> float:
    return weights(name).number(Weight(value=0.5, blocks=text, elements=elements), tensor)


def refused(text: str = "", *elements: str, name: str = SD1) -> UsageError:
    with pytest.raises(UsageError) as caught:
        weights(name).check(Weight(value=0.5, blocks=text, elements=elements))
    for language in LANGUAGES:
        set_language(language)
        assert caught.value.message
        assert caught.value.hint
    set_language(None)
    return caught.value


def ascending(count: int) -> str:
    return ",".join(str(i / 128) for i in range(count))


# --- lists -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count"),
    [(SD1, 25), (SD1, 26), (SDXL, 19), (SDXL, 20), (SDXL, 21), (FLUX, 57), (FLUX, 61)],
)
def test_a_list_gives_each_block_its_number(name: str, count: int) -> None:
    words = blocks(name).lists[count]
    made = table(ascending(count), name)
    assert [made[word] for word in words] == [i / 128 for i in range(count)]
    left = {"BASE", "VAE", "CLIP", "T5", "IN", "OUT"} - set(words)
    assert {made[word] for word in left & set(made)} <= {0.5, made["BASE"]}


@pytest.mark.parametrize(
    "text", ["0 " * 25 + "1", "0\n" * 25 + "1", "0, " * 25 + "1,", "0;" * 25 + "1;\n"]
)
def test_numbers_of_a_list_stand_between_commas_spaces_or_line_breaks(text: str) -> None:
    made = table(text)
    assert made["OUT11"] == 1
    assert sum(made.values()) == 1


def test_a_vae_goes_with_base_where_a_list_leaves_it_out() -> None:
    assert table("0.25," + "0," * 24 + "0")["VAE"] == 0.25
    assert table("0," * 24 + "0")["VAE"] == 0.5  # 25 numbers say nothing of BASE


def test_27_numbers_are_those_of_runtime_block_merge() -> None:
    text = ascending(27)
    assert number(f"{UNET}out.2.bias", text) == 13 / 128
    assert number(f"{UNET}output_blocks.11.0.in_layers.0.bias", text) == 25 / 128
    assert number(f"{UNET}time_embed.0.bias", text) == 26 / 128
    assert number(f"{UNET}input_blocks.0.0.bias", text) == 0
    assert table(text)["TIME"] == 26 / 128


def test_a_list_of_sd1_is_translated_for_sdxl_and_said_so() -> None:
    numbers = [i / 128 for i in range(26)]
    # SuperMerger, weighttoxl: of the 25 behind BASE, those from 0 to 8 and from 12 to 21.
    kept = [numbers[0], *numbers[1:][:9], *numbers[1:][12:22]]
    weigh = weights(SDXL)
    made = weigh.table(Weight(value=0.5, blocks=ascending(26)))
    assert [made[word] for word in blocks(SDXL).lists[20]] == kept
    (note,) = weigh.notes
    assert note.key == "blocks.translated"
    assert note.values["left"] == 20
    assert note.values["dropped"] == "IN09, IN10, IN11, OUT09, OUT10, OUT11"
    assert not note.warning
    without_base = table(",".join(map(str, numbers[1:])), SDXL)
    assert [without_base[word] for word in blocks(SDXL).lists[19]] == kept[1:]
    assert weights(SD1).notes == ()


def test_the_long_list_reaches_each_transformer_block() -> None:
    text = ascending(110)
    place = blocks(SDXL).fine.index
    assert list(table(text, SDXL).values()) == [i / 128 for i in range(110)]
    for tensor, word in {
        f"{UNET}input_blocks.7.1.transformer_blocks.9.norm1.bias": "IN719",
        f"{UNET}input_blocks.7.1.norm.bias": "IN71",
        f"{UNET}middle_block.1.transformer_blocks.0.norm1.bias": "MID100",
        f"{UNET}output_blocks.2.2.conv.bias": "OUT22",
        f"{UNET}out.2.bias": "OUT9",
        f"{UNET}time_embed.0.bias": "TIME",
        f"{UNET}label_emb.0.0.bias": "LABEL",
        "conditioner.embedders.1.model.ln_final.bias": "CLIPG",
        "first_stage_model.decoder.conv_in.bias": "VAE",
    }.items():
        assert number(tensor, text, name=SDXL) == place(word) / 128, word


@pytest.mark.parametrize(
    ("name", "count", "lengths"),
    [(SD1, 24, "25, 26, 27"), (SD1, 20, "25, 26, 27"), (SDXL, 27, "19, 20, 21, 25, 26, 110"),
     (FLUX, 26, "57, 61"), ("koala-1b-fp16", 26, "13, 14, 15")],
)  # fmt: skip
def test_a_wrong_count_names_those_that_fit(name: str, count: int, lengths: str) -> None:
    error = refused(ascending(count), name=name)
    assert error.key == "blocks.wrong_count"
    assert error.values["lengths"] == lengths


def test_lists_and_presets_are_refused_where_nothing_is_counted() -> None:
    assert refused(ascending(26), name="vae-flux-ae").key == "blocks.no_lists"
    assert refused("GRAD_V", name="vae-flux-ae").key == "blocks.no_depth"
    assert table("encoder.down.1=0.25", "vae-flux-ae")["encoder.down.1"] == 0.25
    assert table("VAE=0.25,decoder.up.*=0", "vae-flux-ae")["decoder"] == 0.25


# --- rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "blocks_changed"),
    [
        ("IN03=1", ["IN03"]),
        ("in3=1", ["IN03"]),
        ("IN03-05=1", ["IN03", "IN04", "IN05"]),
        ("IN05-IN03=1", ["IN03", "IN04", "IN05"]),
        ("IN11-OUT00=1", ["IN11", "M00", "OUT00"]),
        ("IN0? M00=1", [*(f"IN{i:02}" for i in range(10)), "M00"]),
        ("OUT*=1", [f"OUT{i:02}" for i in range(12)]),
        ("out=1", [f"OUT{i:02}" for i in range(12)]),
        ("NOT IN OUT=1", ["BASE", "M00", "VAE"]),
        ("*=1, IN*=0.5; OUT*=0.5\nNOT M00=0.5", ["M00"]),
        ("ＩＮ０３＝１、M00=1", ["IN03", "M00"]),
    ],
)
def test_rules_name_words_ranges_and_patterns_and_the_last_one_counts(
    text: str, blocks_changed: list[str]
) -> None:
    assert [word for word, value in table(text).items() if value == 1] == blocks_changed


def test_narrower_words_reach_into_a_block() -> None:
    made = table("IN00=1,TIME=0.25", SDXL)
    assert (made["IN00"], made["TIME"], made["IN01"]) == (1, 0.25, 0.5)
    assert number(f"{UNET}time_embed.0.bias", "TIME=0.25", name=SDXL) == 0.25
    assert number(f"{UNET}label_emb.0.0.bias", "TIME=0.25", name=SDXL) == 0.5
    assert (
        number(
            "conditioner.embedders.0.transformer.text_model.final_layer_norm.bias",
            "CLIPL=0",
            name=SDXL,
        )
        == 0
    )
    assert number("conditioner.embedders.1.model.ln_final.bias", "CLIPL=0", name=SDXL) == 0.5


def test_block_10_is_not_block_1() -> None:
    for text in ("IN01=1", "IN1=1"):
        assert number(f"{UNET}input_blocks.1.0.in_layers.0.bias", text) == 1
        assert number(f"{UNET}input_blocks.10.0.in_layers.0.bias", text) == 0.5


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("FOO=1", "blocks.no_such_block", {"block": "FOO"}),
        ("IN12=1", "blocks.no_such_block_but", {"near": "IN11"}),
        ("IN03-15=1", "blocks.no_such_block_but", {"block": "IN15"}),
        ("D00=1", "blocks.no_such_block_but", {"block": "D00"}),
        ("=1", "blocks.none_named", {}),
        ("NOT=1", "blocks.none_named", {"text": "NOT"}),
        ("M00=", "blocks.no_number", {"number": "-"}),
        ("M00=x", "blocks.no_number", {"number": "x"}),
        ("M00=nan", "blocks.no_number", {}),
        ("M00=1e999", "blocks.no_number", {}),
        ("M00=1_0", "blocks.no_number", {}),
        ("M00=1,0.5", "blocks.no_rule", {"rule": "0.5"}),
        ("IN00:0.3", "blocks.no_such_preset", {}),
        ("M00=1,GRAD_V", "blocks.no_rule", {"rule": "GRAD_V"}),
        ("GRAD_V@0.3", "blocks.no_such_preset", {}),
        ("GRAD_V~", "blocks.no_such_preset", {}),
        ("GRAD_V~COSINE@", "blocks.no_number", {}),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_wrong(
    text: str, key: str, values: dict[str, str]
) -> None:
    error = refused(text)
    assert error.key == key
    assert values.items() <= error.values.items()


# --- presets -----------------------------------------------------------------------------------


def test_a_preset_leaves_base_alone() -> None:
    made = table("GRAD_V")
    assert (made["BASE"], made["VAE"]) == (0.5, 0.5)
    assert (made["IN00"], made["IN06"], made["M00"], made["OUT11"]) == (1, 0.5, 0, 1)
    assert table("ALL_B")["BASE"] == 1


def test_presets_follow_the_blocks_of_any_model() -> None:
    flux = table("GRAD_V", FLUX)
    assert (flux["IN"], flux["D00"], flux["S09"], flux["S37"], flux["OUT"]) == (1, 1, 0, 1, 1)
    assert (flux["CLIP"], flux["T5"]) == (0.5, 0.5)
    assert table("GRAD_V", SDXL)["IN03"] == pytest.approx(1 - 3 / 9)


def test_between_two_presets() -> None:
    made, one, other = table("GRAD_V~FLAT_75@0.25"), table("GRAD_V"), table("FLAT_75")
    for word in blocks(SD1).lists[25]:
        assert made[word] == pytest.approx(0.75 * one[word] + 0.25 * other[word])
    assert table("GRAD_V ~ FLAT_75") == table("GRAD_V~FLAT_75@0.5")


def test_rules_follow_a_preset_or_a_list() -> None:
    assert table("GRAD_V, M00=0.25, BASE=0") == {**table("GRAD_V"), "M00": 0.25, "BASE": 0}
    listed = "0," * 26
    assert table(f"{listed}M00=0.25") == {**table(listed), "M00": 0.25}


# --- elements ----------------------------------------------------------------------------------

KEY = f"{UNET}input_blocks.7.1.transformer_blocks.0.attn2.to_k.weight"
OUT = f"{UNET}output_blocks.4.1.transformer_blocks.0.attn2.to_out.0.weight"
SELF = f"{UNET}output_blocks.4.1.transformer_blocks.0.attn1.to_k.weight"


@pytest.mark.parametrize(
    ("rules", "numbers"),
    [
        (["attn2=0.2"], (0.2, 0.2, 0.5)),
        (["attn2.*to_k=0.2"], (0.2, 0.5, 0.5)),
        (["attn?.to_k=0.2"], (0.2, 0.5, 0.2)),
        (["attn[12].to_[kq].=0.2"], (0.2, 0.5, 0.2)),
        (["IN07:to_[kq]=0.2"], (0.2, 0.5, 0.5)),
        (["IN07,OUT03:attn2=0.2"], (0.2, 0.5, 0.5)),
        (["OUT03-05:attn2 = 0.2"], (0.5, 0.2, 0.5)),
        (["attn2=0.2,to_out=0.1"], (0.2, 0.1, 0.5)),
        (["attn2=0.2", "to_k=0.1"], (0.1, 0.2, 0.1)),
        (["attn1,to_out=0.1"], (0.5, 0.1, 0.1)),
        # As SuperMerger writes them.
        (["OUT03 OUT04 OUT05:attn2 attn1.to_out:0.25"], (0.5, 0.25, 0.5)),
        (["OUT04:attn:0.25,OUT04:attn2.to_out:0.2"], (0.5, 0.2, 0.25)),
        (["NOT OUT04:attn:1"], (1, 0.5, 0.5)),
        (["OUT04:NOT attn2 proj:0.25"], (0.5, 0.5, 0.25)),
        (["OUT04::0.25"], (0.5, 0.25, 0.25)),
        ([":attn2:0.25\nIN00-IN08::0.1"], (0.1, 0.25, 0.5)),
    ],
)
def test_elements_are_found_by_name_and_the_last_rule_counts(
    rules: list[str], numbers: tuple[float, float, float]
) -> None:
    assert tuple(number(tensor, "", *rules) for tensor in (KEY, OUT, SELF)) == numbers


def test_elements_go_before_blocks() -> None:
    assert number(KEY, "IN07=0.1", "attn2=0.9") == 0.9
    assert number(SELF, "OUT04=0.1", "attn2=0.9") == 0.1


def test_every_rule_counts_and_not_only_the_first_of_a_block() -> None:
    rules = "IN07:attn2.to_k:1,IN07:attn2.to_q:0.75,IN07:attn1:0.25"
    start = f"{UNET}input_blocks.7.1.transformer_blocks.0"
    assert [
        number(f"{start}.{end}.weight", "", rules)
        for end in ("attn2.to_k", "attn2.to_q", "attn1.to_v", "attn2.to_v")
    ] == [1, 0.75, 0.25, 0.5]


def test_elements_are_found_by_the_original_path_in_every_layout() -> None:
    name = "sd15-unet-diffusers-f16"
    assert (
        number("down_blocks.0.resnets.0.time_emb_proj.weight", "", "IN01:emb_layers=0.2", name=name)
        == 0.2
    )
    assert (
        number("down_blocks.0.resnets.0.time_emb_proj.weight", "", "time_emb_proj=0.2", name=name)
        == 0.2
    )


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ("attn2", "blocks.no_element"),
        ("=0.3", "blocks.no_element"),
        ("attn2=", "blocks.no_number"),
        ("attn2:0.3", "blocks.no_element"),
        ("FOO:attn2:0.3", "blocks.no_such_block"),
        ("IN00", "blocks.no_element"),
        ("IN00:attn:x", "blocks.no_number"),
        ("NOT:attn:1", "blocks.none_named"),
    ],
)  # fmt: skip
def test_elements_that_cannot_be_read_are_refused(rule: str, key: str) -> None:
    assert refused("", rule).key == key


def test_rules_without_end_are_refused_before_they_are_tried_on_every_tensor() -> None:
    assert refused("IN00=0.1," * 10_000).key == "blocks.too_long"
    assert refused("", *["attn2=0.1"] * 10_000).key == "blocks.too_long"
    assert number(KEY, ", ".join(["IN*=0.1"] * 1000), *["attn2=0.7"] * 1000) == 0.7


# --- methods and strangers ---------------------------------------------------------------------


def test_methods_differ_by_block_and_the_last_pattern_counts() -> None:
    step = Step(name="mix", method="weighted-sum", models=("a", "b"), block_methods={"IN*, OUT*": "slerp", "OUT00-05": "copy"})  # fmt: skip
    weigh = weights()
    found = {
        weigh.method(step, name) for name, p in blocks(SD1).places.items() if p.block == "BASE"
    }
    assert found == {"weighted-sum"}
    assert weigh.method(step, KEY) == "slerp"
    assert weigh.method(step, OUT) == "copy"
    assert weigh.method(step, "no.such.tensor") == "weighted-sum"


def test_a_method_for_a_block_that_is_not_there_is_refused() -> None:
    step = Step(name="mix", method="copy", models=("a",), block_methods={"D00": "slerp"})
    with pytest.raises(UsageError):
        weights().method(step, KEY)


def test_a_tensor_that_the_model_does_not_have_gets_the_plain_number() -> None:
    assert number("no.such.tensor", "*=0.9") == 0.5


# --- whatever is typed -------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["IN00", "OUT", "M00", "BASE", "TIME", "IN*", "-", "~", "@", "=", ":", ",", ";", " ", "\n", "NOT", "re:", "(",
     "[", "*", "?", "0.5", "1", "-1", "1e9", "GRAD_V", "COSINE", "attn2", "、", "０", "\0", "\u202e"]
)  # fmt: skip
TYPED = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=30)


@given(TYPED, st.sampled_from([SD1, SDXL, FLUX, VAE]))
def test_whatever_is_typed_is_read_or_refused(text: str, name: str) -> None:
    weigh, told = weights(name), []
    for weight in (Weight(value=0.5, blocks=text), Weight(value=0.5, elements=(text,))):
        try:
            numbers = weigh.table(weight).values()
        except UsageError as error:
            told.append(error.message and error.hint)
        else:
            assert all(map(isfinite, numbers))
    assert all(told)


@given(st.lists(st.floats(-9, 9), min_size=26, max_size=26))
def test_a_written_list_reads_as_it_was(numbers: list[float]) -> None:
    assert list(table(",".join(map(repr, numbers))).values())[:26] == numbers


@given(st.dictionaries(st.sampled_from(blocks(SD1).names), st.floats(-9, 9), min_size=1))
def test_written_rules_read_as_they_were(numbers: dict[str, float]) -> None:
    text = ",".join(f"{word}={value!r}" for word, value in numbers.items())
    assert table(text) == dict.fromkeys(blocks(SD1).names, 0.5) | numbers
