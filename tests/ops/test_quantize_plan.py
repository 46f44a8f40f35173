"""Which weights are quantised, and what stands in their place."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from kanna.dtypes import BF16, FP8_E4M3, FP16, FP32, TORCH, WORDS
from kanna.errors import Incompatible, UsageError
from kanna.families.loading import load_pages
from kanna.families.policy import fits, policy_of
from kanna.identify import identify
from kanna.model import ModelFile, TensorInfo
from kanna.ops.quantize import TARGETS, QuantizeOptions, quantize
from kanna.ops.split import SplitOptions, split
from kanna.plan import Encoded, Output, Plan
from model_headers import headers, known, model_of

# The families that the tables must know, with a file of each.
FAMILIES = {
    "sd1": "sd15-fp16-pruned", "sd2": "sd21-fp16-pruned", "sdxl": "sdxl-base-fp16",
    "sd3": "sd35-large", "flux": "flux1-dev-bf16", "flux2": "flux2-dev-bf16",
    "chroma": "chroma-bf16", "auraflow": "auraflow-v02-dit", "sana": "sana-1600m-orig-st-bf16",
    "pixart": "pixart-alpha-1024-ms", "z-image": "z-image-turbo-bf16",
    "qwen-image": "qwen-image-bf16", "lumina2": "lumina2-dit-bf16", "wan": "wan21-t2v-14b-fp16",
}  # fmt: skip


def planned(name: str, to: str = "fp8_scaled", **wanted: object) -> Plan:
    return quantize(
        headers()[name].model(),
        known(name),
        QuantizeOptions(to=to, **wanted),  # type: ignore[arg-type]
    ).plan


def taken(plan: Plan) -> dict[str, Output]:
    return {output.name: output for output in plan.outputs if output.compared}


def said(plan: Plan) -> set[str]:
    return {note.key.removeprefix("quantize.") for note in plan.notes}


@pytest.mark.parametrize("published", ["flux1-dev-fp8-scaled", "te-umt5-xxl-fp8-scaled"])
def test_what_is_quantised_is_what_comfyuis_own_files_have_quantised(published: str) -> None:
    file = headers()[published]
    wanted = {n for n, t in file.tensors.items() if t.dtype is FP8_E4M3 and t.numel}
    sides = ("scale_weight", "scale_input", "scaled_fp8")
    plain = model_of(
        {n: t.shape for n, t in file.tensors.items() if not n.endswith(sides)}, dtype=BF16
    )
    plan = quantize(plain, identify(plain), QuantizeOptions(to="fp8_scaled", form="old")).plan
    assert taken(plan).keys() == wanted
    shapes = {n: t.shape for n, t in file.tensors.items() if n.endswith(sides) and t.numel < 2}
    found = {o.name: o.shape for o in plan.outputs}
    assert shapes.keys() <= found.keys()
    assert all(found[name] == shape for name, shape in shapes.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_list_whose_patterns_all_mean_something(family: str) -> None:
    policy = policy_of(family)
    assert policy.known
    plan = planned(FAMILIES[family])
    model = headers()[FAMILIES[family]].tensors
    part = known(FAMILIES[family]).part("diffusion_model")
    assert part is not None
    assert "policy_unknown" not in said(plan)
    high = {n.removeprefix(part.prefix) for n in part.names} - {
        n.removeprefix(part.prefix) for n in taken(plan)
    }
    own = load_pages()["quantize"][family]["keep"]
    assert sum(any(fits(name, pattern) for name in high) for pattern in own) >= 3
    weights = sum(model[n].numel for n in taken(plan))
    matrices = sum(model[n].numel for n in part.names if len(model[n].shape) == 2)
    assert 0.85 * matrices < weights < matrices


def test_no_vae_and_no_small_encoder_is_ever_quantised() -> None:
    name = "sd3-medium-incl-clips-t5xxlfp16"
    without, with_encoders = planned(name), planned(name, text_encoders=True)
    prefixes = {n.split(".")[0] for n in taken(without)}
    assert prefixes == {"model"}
    more = taken(with_encoders).keys() - taken(without).keys()
    assert more
    assert {n.split(".")[1] for n in more} == {"t5xxl"}
    assert "text_encoders.t5xxl.transformer.comfy_quant" not in {o.name for o in without.outputs}


def test_every_other_tensor_is_copied_in_its_place() -> None:
    name = "sd15-fp16-pruned"
    plan = planned(name, "nf4")
    order = [o.name for o in plan.outputs if o.name in headers()[name].tensors]
    assert order == list(headers()[name].tensors)
    copied = [o for o in plan.outputs if not o.compared and o.name in headers()[name].tensors]
    assert all(o.dtype is headers()[name].tensors[o.name].dtype for o in copied)
    for output in taken(plan).values():
        assert isinstance(output.op, Encoded)
        assert len(headers()[name].tensors[output.name].shape) == 2


def test_plain_fp8_takes_convolutions_too() -> None:
    tensors = headers()["sd15-fp16-pruned"].tensors
    dims = {len(tensors[name].shape) for name in taken(planned("sd15-fp16-pruned", "fp8_e5m2"))}
    assert dims == {2, 4}


def test_patterns_of_the_user_stay_and_the_rest_can_change_precision() -> None:
    name = "flux1-dev-bf16"
    plan = planned(name, keep=("double_blocks.*.img_mod",), keep_dtype="fp16")
    assert not [n for n in taken(plan) if fnmatchcase(n, "double_blocks.*.img_mod.lin.weight")
                and taken(plan)[n].dtype is FP8_E4M3]  # fmt: skip
    by_name = {output.name: output for output in plan.outputs}
    assert by_name["double_blocks.3.img_mod.lin.weight"].dtype is FP16
    assert by_name["img_in.bias"].dtype is FP16
    assert json.loads(plan.metadata["kanna.history"])[-1]["keep_dtype"] == "fp16"


@pytest.mark.parametrize("to", ["fp8_scaled", "q8_0"])
def test_a_pattern_that_fits_nothing_is_told(to: str) -> None:
    name = "sd15-fp16-pruned"
    assert "keep_unused" not in said(planned(name, to, keep=("middle_block.*",)))
    plan = planned(name, to, keep=("middle_block", "midle_block"))
    told = [note for note in plan.notes if note.key == "quantize.keep_unused"]
    assert [note.values["pattern"] for note in told] == ["midle_block"]


def test_the_current_form_lists_its_layers_in_the_metadata() -> None:
    plan = planned("sd15-fp16-pruned")
    listed = json.loads(plan.metadata["_quantization_metadata"])
    names = {name.removesuffix(".weight") for name in taken(plan)}
    assert listed["format_version"] == "1.0"
    assert listed["layers"] == {key: {"format": "float8_e4m3fn"} for key in names}
    assert names <= {o.name.removesuffix(".comfy_quant") for o in plan.outputs}
    assert "_quantization_metadata" not in planned("sd15-fp16-pruned", form="old").metadata


@pytest.mark.parametrize("to", ["fp8_scaled", "nf4", "fp4", "fp8_e4m3"])
def test_what_was_written_is_identified_as_what_it_is(to: str) -> None:
    plan = planned("sd35-large", to)
    model = ModelFile(
        path=Path("out.safetensors"), container="safetensors", size=0, files=(), metadata=plan.metadata,
        tensors={o.name: described(o) for o in plan.outputs},
    )  # fmt: skip
    part = identify(model).part("diffusion_model")
    assert part is not None
    word = {"fp8_scaled": "fp8-scaled", "fp8_e4m3": "fp8"}.get(to, f"bnb-{to}")
    assert (part.architecture, part.complete, part.quantization) == ("sd3", True, word)


def described(output: Output) -> TensorInfo:
    made = model_of({output.name: output.shape}, dtype=output.dtype)
    return made[output.name]


@pytest.mark.parametrize("to", ["fp16", "bf16", "fp32"])
@pytest.mark.parametrize("name", ["flux1-dev-fp8-scaled", "sd35-large-fp8-e4m3-incl-clips-t5"])
def test_back_again_gives_plain_tensors_under_their_own_names(name: str, to: str) -> None:
    plan = planned(name, to)
    names = {output.name for output in plan.outputs}
    assert not [n for n in names if n.endswith(("scale_weight", "scaled_fp8", "scale_input"))]
    dtypes = {o.dtype for o in plan.outputs if o.name.startswith(("double_blocks", "model.diff"))}
    assert dtypes == {WORDS[to]}
    file = headers()[name].tensors
    assert {n for n in file if n.endswith(".weight")} <= names


def test_a_quantised_file_is_quantised_anew_from_its_plain_numbers() -> None:
    plan = planned("flux1-dev-fp8-scaled", "nf4")
    assert "again" in said(plan)
    output = taken(plan)["double_blocks.0.img_mod.lin.weight"]
    assert (output.inputs[0].dtype, output.shape[1]) == (FP32, 1)
    state = next(
        o for o in plan.outputs if o.name.endswith("lin.weight.quant_state.bitsandbytes__nf4")
    )
    told = json.loads(state.op.data)  # type: ignore[union-attr]
    assert told["dtype"] == "bfloat16"
    assert told["dtype"] in TORCH
    assert not [o.name for o in plan.outputs if o.name.endswith("scale_weight")]


@pytest.mark.parametrize(
    "wanted",
    [
        {"to": "q4"}, {"to": "q4_k_m"}, {"to": "q6_k"}, {"to": "nf4", "form": "old"},
        {"to": "fp8_scaled_e5m2", "form": "old"}, {"to": "fp8_scaled", "nested": True},
        {"to": "nf4", "keep_dtype": "fp8_e4m3"}, {"to": "q8_0", "keep_dtype": "fp16"},
    ],
)  # fmt: skip
def test_requests_that_make_no_sense_are_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        planned("sd15-fp16-pruned", **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("vae-sdxl", "fp8_scaled"), ("te-clip-l-fp16", "nf4"), ("sdxl-base-fp16", "fp16"),
        ("lora-kohya-flux-r16", "nf4"),
    ],
)  # fmt: skip
def test_files_without_anything_to_quantise_are_refused(name: str, to: str) -> None:
    with pytest.raises(Incompatible):
        planned(name, to)


@pytest.mark.parametrize("to", ["q8_0", "q4_0", "gguf-bf16"])
def test_gguf_takes_the_diffusion_model_only_unless_asked(to: str) -> None:
    plan = planned("flux1-dev-bf16", to, keep=("double_blocks.0.img_mod",))
    assert plan.container == "gguf"
    assert "gguf" in plan.extras
    by_name = {output.name: output for output in plan.outputs}
    assert by_name["double_blocks.0.img_mod.lin.weight"].dtype is BF16
    assert by_name["double_blocks.1.img_mod.lin.weight"].dtype.word == (
        to if "-" not in to else "bf16"
    )
    assert {*TARGETS} >= {"q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "gguf-f16", "gguf-bf16"}


def test_what_was_quantised_and_now_stays_takes_two_bytes_not_four() -> None:
    plan = planned("wan22-t2v-14b-fp8-scaled")
    assert "halved" in said(plan)
    assert not [o.name for o in plan.outputs if o.dtype is FP32 and len(o.shape) > 1]
    asked = planned("wan22-t2v-14b-fp8-scaled", keep_dtype="fp32")
    assert [o.name for o in asked.outputs if o.dtype is FP32 and len(o.shape) > 1]


@pytest.mark.parametrize("name", ["sd15-fp16-pruned", "sdxl-base-fp16", "sdxl-refiner-fp16"])
def test_a_packed_unet_still_shows_the_width_of_its_text(name: str) -> None:
    """huggingface_guess, which Forge asks, reads it from the first of these weights."""
    part = known(name).part("diffusion_model")
    assert part is not None
    first = next(
        f"{part.prefix}input_blocks.{block}.1.transformer_blocks.0.attn2.to_k.weight"
        for block in range(12)
        if f"{part.prefix}input_blocks.{block}.1.transformer_blocks.0.attn2.to_k.weight"
        in part.names
    )
    written = {o.name: o for o in planned(name, "nf4").outputs}
    assert written[first].shape == headers()[name].tensors[first].shape
    assert first in taken(planned(name, "fp8_scaled"))


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("flux1-dev-bf16", {"for_forge"}), ("flux1-dev-diffusers-bf16", {"for_diffusers"}),
        ("te-t5xxl-fp16", {"for_forge", "for_diffusers"}), ("wan21-t2v-14b-fp16", {"few_readers"}),
    ],
)  # fmt: skip
def test_who_reads_four_bits_is_said_by_model_and_names(name: str, notes: set[str]) -> None:
    readers = {"for_forge", "for_diffusers", "few_readers"}
    assert said(planned(name, "nf4")) & readers == notes
    assert not said(planned(name, "fp8_e4m3")) & readers


@pytest.mark.parametrize("to", ["fp8_scaled", "q8_0"])
def test_a_large_text_encoder_that_stays_is_spoken_of(to: str) -> None:
    assert "encoder_stays" in said(planned("sd3-medium-incl-clips-t5xxlfp16", to))
    assert "encoder_stays" not in said(
        planned("sd3-medium-incl-clips-t5xxlfp16", to, text_encoders=True)
    )
    assert "encoder_stays" not in said(planned("sdxl-base-fp16", to))


def test_diffusers_is_told_which_layers_are_no_four_bits() -> None:
    plan = planned("flux1-dev-diffusers-bf16", "nf4", keep=("transformer_blocks.0.attn.to_q",))
    note = next(note for note in plan.notes if note.key == "quantize.for_diffusers")
    modules = str(note.values["modules"]).strip("[]").split(", ")
    layers = {o.name for o in plan.outputs if o.name.endswith(".weight") and len(o.shape) == 2}
    codes = {o.name for o in plan.outputs if isinstance(o.op, Encoded) and o.shape[1:] == (1,)}
    found = {n for n in layers if any(n.startswith(f"{module}.") for module in modules)}
    assert found == layers - codes
    assert "transformer_blocks.0.attn.to_q" in modules
    assert "time_text_embed" in modules


def test_diffusers_can_skip_what_stays_without_skipping_its_namesakes_in_the_blocks() -> None:
    """Its loader compares the last word of a module with the list, too."""
    taken_by = {to: taken(planned("flux1-dev-diffusers-bf16", to)) for to in ("nf4", "fp8_scaled")}
    assert "single_transformer_blocks.0.proj_out.weight" in taken_by["nf4"]
    assert "proj_out.weight" in taken_by["nf4"]
    assert "proj_out.weight" not in taken_by["fp8_scaled"]


def test_the_way_that_a_refusal_of_diffusers_names_points_out_is_there() -> None:
    name = "flux1-dev-diffusers-bf16"
    with pytest.raises(Incompatible) as told:
        planned(name, "q8_0")
    assert told.value.key == "gguf.diffusers"
    assert "kanna split" in str(told.value)
    parts = split(headers()[name].model(), known(name), SplitOptions())
    assert [part.layout for part in parts.parts] == ["bfl"]
