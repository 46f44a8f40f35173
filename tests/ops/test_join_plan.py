"""Parts put together: each where its readers look for it, or a refusal before a byte is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kanna.dtypes import BF16, FP16, WORDS
from kanna.errors import FormatError, Incompatible, Incomplete, KannaError, UnknownModel, UsageError
from kanna.families.joined import arrangement, file_word, program_words
from kanna.families.places import UIS
from kanna.identify import identify
from kanna.model import TensorInfo
from kanna.ops.join import JoinPlan
from kanna.ops.relayout import relayout
from model_headers import Bytes, headers, in_blocks, known, model_of
from part_plans import Input, apart, together

FLUX = ("flux1-dev-bf16", "vae-flux-ae", "te-clip-l-fp16", "te-t5xxl-fp16")
SDXL = ("sdxl-unet-diffusers-f16", "vae-sdxl-diffusers-f32", "te-clip-l-fp16", "te-clip-g-fp16")


def given(name: str) -> Input:
    return replace(headers()[name].model(), path=Path(f"{name}.safetensors")), known(name)


def joined(names: Sequence[str | Input], **options: object) -> JoinPlan:
    inputs = [given(one) if isinstance(one, str) else one for one in names]
    return together(inputs, **options)


def result_of(plan: JoinPlan) -> Input:
    tensors = {
        output.name: TensorInfo(output.name, output.dtype, output.shape, Bytes())
        for output in plan.plan.outputs
    }
    model = model_of(tensors, metadata=plan.plan.metadata)
    return model, identify(model)


def part_of(name: str, part: str) -> Input:
    """One part of a checkpoint, as kanna split writes it."""
    (made,) = apart(headers()[name].model(), only=(part,)).values()
    return made


def keys(plan: JoinPlan) -> list[str]:
    return [note.key for note in plan.plan.notes]


@pytest.mark.parametrize(
    ("names", "like"),
    [
        (FLUX, "flux1-dev-bf16-aio"),
        (("flux1-dev-diffusers-bf16", *FLUX[1:]), "flux1-dev-bf16-aio"),
        (SDXL, "sdxl-base-fp16"),
        (("sdxl-unet-only-fp16", "vae-sdxl", *SDXL[2:]), "sdxl-base-fp16"),
        (("sd15-unet-diffusers-f16", "vae-sd1-diffusers-f32", "te-clip-l-fp16"), "sd15-fp16-pruned"),
        (("sd2-unet-diffusers-f32", "vae-sd1-ft-mse", "te-clip-h-sd2-hf-fp32"), "sd21-fp16-pruned"),
        (("sd3-medium-dit-only", "vae-sd3-diffusers-bf16", "te-clip-g-fp16", "te-clip-l-fp16",
          "te-t5xxl-fp8-e4m3"), "sd3-medium-incl-clips-t5xxlfp16"),
    ],
)  # fmt: skip
def test_parts_of_any_origin_make_the_file_that_is_published(
    names: Sequence[str], like: str
) -> None:
    made = joined(names[::-1])
    published = headers()[like].tensors
    got = {output.name: output.shape for output in made.plan.outputs}
    optional = (
        "position_ids",
        "logit_scale",
        "embed_tokens.weight",
        "text_projection.weight",
        "model.text_projection",
    )
    unlike = {name for name in got.keys() ^ published.keys() if not name.endswith(optional)}
    # the published CLIP-H of diffusers lacks the last layer, which is never run
    assert not {name for name in unlike if "resblocks.23" not in name}
    assert all(published[name].shape == got[name] for name in got.keys() & published.keys())
    _, identity = result_of(made)
    assert (identity.kind, identity.certainty) == ("checkpoint", "certain")
    assert not identity.missing_parts
    assert made.missing == ()


def test_parts_stand_in_the_usual_order() -> None:
    made = joined(FLUX[::-1])
    assert [part.word for part in made.parts] == ["diffusion_model", "vae", "clip-l", "t5xxl"]
    names = [output.name for output in made.plan.outputs]
    assert names[0].startswith("model.diffusion_model.")
    assert names[-1].startswith("text_encoders.t5xxl.transformer.")


def test_one_part_of_a_checkpoint_is_replaced() -> None:
    made = joined(["sd15-fp16-sched", "vae-sd1-ft-mse"])
    outputs = {output.name: output for output in made.plan.outputs}
    assert list(outputs) == list(headers()["sd15-fp16-sched"].tensors)
    vae = {name: one for name, one in outputs.items() if name.startswith("first_stage_model.")}
    assert {one.dtype.word for one in vae.values()} == {"fp32"}
    assert {one.dtype.word for name, one in outputs.items() if name not in vae} <= {
        "fp16", "fp32", "int64",
    }  # fmt: skip
    assert {"join.replaced", "join.junk_left_out"} <= set(keys(made))
    assert [part.source.path.stem for part in made.parts] == [
        "sd15-fp16-sched", "vae-sd1-ft-mse", "sd15-fp16-sched", "sd15-fp16-sched",
    ]  # fmt: skip


def test_a_replaced_part_takes_the_place_and_the_names_of_the_old_one() -> None:
    made = joined(["sd1-nai-fp32-ckpt", "vae-sd1-diffusers-f32"])
    assert [o.name for o in made.plan.outputs] == list(headers()["sd1-nai-fp32-ckpt"].tensors)


def test_the_average_of_a_model_that_is_replaced_is_left_out() -> None:
    made = joined(["sd15-full-ema-fp32", "sd15-unet-diffusers-f16"])
    assert "join.ema_left_out" in keys(made)
    assert not [o.name for o in made.plan.outputs if o.name.startswith("model_ema.diff")]


def test_an_average_goes_under_its_own_names() -> None:
    parts = [part_of("sd15-full-ema-fp32", part) for part in ("ema", "unet", "clip_l", "vae")]
    _, identity = result_of(joined(parts))
    assert identity.ema.complete


def test_parts_of_two_files_are_put_where_the_models_were() -> None:
    unet = part_of("sd1-nai-fp32-ckpt", "unet")
    made = joined([unet, "vae-sd1-ft-mse", "te-clip-l-fp16"])
    _, identity = result_of(made)
    assert [part.prefix for part in identity.parts] == [
        "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer.",
    ]  # fmt: skip


def test_a_program_can_ask_for_the_usual_names() -> None:
    parts = [part_of("sd1-nai-fp32-ckpt", part) for part in ("unet", "vae", "clip_l")]
    names = {output.name for output in joined(parts, program="a1111").plan.outputs}
    assert "cond_stage_model.transformer.text_model.final_layer_norm.weight" in names
    names = {output.name for output in joined(parts).plan.outputs}
    assert "cond_stage_model.transformer.final_layer_norm.weight" in names


def test_markers_have_no_prefix() -> None:
    bare = {**headers()["sdxl-unet-diffusers-f16"].tensors}
    unet = model_of({**bare, "v_pred": (0,)}, path="unet.safetensors")
    made = joined([(unet, identify(unet)), *SDXL[1:]])
    assert "v_pred" in {output.name for output in made.plan.outputs}
    _, identity = result_of(made)
    assert identity.prediction is not None
    assert identity.prediction.type == "v"


def test_the_model_leads_the_metadata_and_all_inputs_are_recorded() -> None:
    title = {"modelspec.title": "Mine", "modelspec.hash_sha256": "0xold"}
    flux = replace(given(FLUX[0])[0], metadata=title)
    vae = replace(given(FLUX[1])[0], metadata={"modelspec.title": "Not mine"})
    made = joined([(vae, known(FLUX[1])), (flux, known(FLUX[0])), *FLUX[2:]]).plan
    assert made.metadata["modelspec.title"] == "Mine"
    assert made.digest_fields["modelspec.hash_sha256"] == "0x"
    (step,) = json.loads(made.metadata["kanna.history"])
    assert [one["input"] for one in step["inputs"]] == [f"{name}.safetensors" for name in FLUX]


def test_parts_are_cast_by_role() -> None:
    made = joined(FLUX, dtypes={"text_encoder": "bf16"}).plan
    kinds = {o.dtype for o in made.outputs if o.name.startswith("text_encoders.")}
    assert kinds == {BF16}


def test_the_sizes_of_parts_are_those_in_the_output() -> None:
    made = joined(FLUX, dtypes={"text_encoder": "fp8_e4m3"})
    assert sum(part.nbytes for part in made.parts) == made.plan.data_bytes


def test_a_quantised_part_is_carried_as_it_is() -> None:
    made = joined(["flux1-dev-bnb-nf4-unet", *FLUX[1:]])
    _, identity = result_of(made)
    assert identity.quantization == "bnb-nf4"


def test_a_quantised_part_is_decoded_if_a_dtype_is_asked_for() -> None:
    parts = ["wan21-t2v-1.3b-fp16", "te-umt5-xxl-fp8-scaled"]
    made = joined(parts, dtypes={"text_encoder": "bf16"}, allow_missing=True)
    encoder = [o for o in made.plan.outputs if o.name.startswith("text_encoders.umt5xxl.")]
    assert {o.dtype for o in encoder if o.dtype.is_float} == {BF16}
    assert not [o.name for o in encoder if "scale" in o.name]
    assert keys(made).count("quantize.now_plain") == 1


def test_a_part_in_blocks_needs_a_dtype_and_is_decoded() -> None:
    model, _ = given(FLUX[0])
    model = replace(model, tensors={n: in_blocks(t) for n, t in model.tensors.items()})
    parts: list[str | Input] = [(model, identify(model)), *FLUX[1:]]
    with pytest.raises(Incompatible) as caught:
        joined(parts)
    assert caught.value.key == "gguf.part_needs_dtype"
    made = joined(parts, dtypes={"diffusion_model": "fp16"})
    assert {o.dtype for o in made.plan.outputs if "double_blocks" in o.name} == {FP16}


def test_a_text_encoder_as_llama_cpp_names_it_gets_the_usual_names() -> None:
    names = relayout(headers()["te-t5xxl-fp16"].tensors, "t5", source="hf", target="gguf").tensors
    model = model_of({name: in_blocks(tensor) for name, tensor in names.items()})
    made = joined([*FLUX[:3], (model, identify(model))], dtypes={"text_encoder": "fp16"})
    plain = joined(FLUX, dtypes={"text_encoder": "fp16"})
    kinds = [{(o.name, o.dtype, o.shape) for o in one.plan.outputs} for one in (made, plain)]
    tied = "text_encoders.t5xxl.transformer.encoder.embed_tokens.weight"
    assert {name for name, _, _ in kinds[0] ^ kinds[1]} <= {tied}


def test_a_state_of_bitsandbytes_that_is_none_is_named() -> None:
    with pytest.raises(FormatError, match="quant_state"):
        joined(["flux1-dev-bnb-nf4-unet", *FLUX[1:]], dtype="bf16")


WRONG: list[tuple[Sequence[str], type[KannaError], str]] = [
    (("sd15-fp16-pruned", "te-t5xxl-fp16"), Incompatible, "join.not_for_it"),
    ((*FLUX, "te-clip-g-fp16"), Incompatible, "join.not_for_it"),
    ((*FLUX, "lora-kohya-flux-r16"), Incompatible, "join.not_for_it"),
    ((*FLUX[:3], "te-umt5-xxl-fp8-scaled"), Incompatible, "join.not_for_it"),
    (("sd15-fp16-pruned", "vae-flux-ae"), Incompatible, "join.other_vae"),
    ((FLUX[0], "vae-sdxl", *FLUX[2:]), Incompatible, "join.other_vae"),
    ((*FLUX, "te-clip-l-hf-fp32-posids"), Incompatible, "join.twice"),
    ((*FLUX, "flux1-schnell-bf16"), Incompatible, "join.twice"),
    (("sd15-fp16-pruned", "sdxl-base-fp16"), Incompatible, "join.two_checkpoints"),
    (("sdxl-base-fp16", "sd15-unet-diffusers-f16"), Incompatible, "join.other_vae"),
    (FLUX[1:], Incomplete, "join.no_model"),
    (FLUX[:3], Incomplete, "join.missing"),
    (("kolors-unet-diffusers-f16",), Incomplete, "join.missing"),
]


@pytest.mark.parametrize(("names", "error", "key"), WRONG)
def test_what_does_not_fit_is_refused(
    names: Sequence[str], error: type[KannaError], key: str
) -> None:
    with pytest.raises(error) as caught:
        joined(names)
    assert caught.value.key == key
    assert caught.value.message
    assert caught.value.hint


def test_the_vae_that_is_wanted_is_named_as_people_know_it() -> None:
    with pytest.raises(Incompatible, match=r"Chroma takes that of FLUX\.1"):
        joined(["chroma-bf16", "vae-sdxl", "te-t5xxl-fp16"])
    (note,) = [n for n in joined(["chroma-bf16", *FLUX[1:2], FLUX[3]]).plan.notes if n.values]
    assert note.values["ours"] == "FLUX.1"


def test_no_gguf_is_made_without_what_its_readers_expect() -> None:
    with pytest.raises(UsageError) as caught:
        joined(FLUX, container="gguf")
    assert caught.value.key == "join.no_gguf"


def test_the_layouts_that_are_asked_for_are_named_once() -> None:
    with pytest.raises(Incompatible, match="taesd") as caught:
        joined(["sdxl-base-fp16", "vae-taesdxl-decoder"])
    assert "ldm, ldm" not in str(caught.value)


def test_how_a_gguf_was_laid_out_is_not_said_of_the_file() -> None:
    model, identity = given(FLUX[0])
    told = {"general.architecture": "flux", "general.file_type": "7", "title": "mine"}
    made = joined([(replace(model, metadata=told), identity), *FLUX[1:]]).plan
    assert made.metadata["title"] == "mine"
    assert "general.file_type" not in made.metadata


def test_what_is_missing_is_named_with_the_file_to_look_for() -> None:
    with pytest.raises(Incomplete) as caught:
        joined(FLUX[:2])
    assert caught.value.exit_code == 3
    assert "T5-XXL (t5xxl_fp16.safetensors)" in caught.value.message
    made = joined(FLUX[:2], allow_missing=True)
    assert made.missing == ("clip-l", "t5xxl")
    assert keys(made).count("join.lacks_file") == 2


def test_what_a_file_never_had_is_not_asked_for() -> None:
    parts = [part_of("sd35-medium", part) for part in ("diffusion_model", "vae")]
    assert joined(parts).missing == ("clip-l", "clip-g", "t5xxl")
    with pytest.raises(Incomplete):
        joined(parts[:1])


def test_a_part_that_lacks_tensors_is_refused() -> None:
    whole = headers()["vae-flux-ae"].tensors
    vae = model_of({n: t for n, t in whole.items() if n != "encoder.conv_in.weight"})
    with pytest.raises(Incomplete) as caught:
        joined([FLUX[0], (vae, identify(vae)), *FLUX[2:]])
    assert caught.value.key == "join.part_broken"


def test_what_safetensors_has_no_place_for_is_refused() -> None:
    model, identity = given(FLUX[1])
    tensors = {n: replace(t, dtype=WORDS["complex128"]) for n, t in model.items()}
    with pytest.raises(Incompatible) as caught:
        joined([FLUX[0], (replace(model, tensors=tensors), identity)])
    assert caught.value.key == "join.cannot_carry"


def test_a_part_in_names_that_nobody_can_turn_is_refused() -> None:
    model, identity = given("sdxl-unet-diffusers-f16")
    part = replace(identity.parts[0], scaled=True)
    with pytest.raises(Incompatible) as caught:
        joined([(model, replace(identity, parts=(part,))), *SDXL[1:]])
    assert caught.value.key == "join.layout"


def test_a_program_is_not_given_what_it_cannot_read() -> None:
    with pytest.raises(Incompatible) as caught:
        joined(FLUX, program="a1111")
    assert caught.value.key == "join.program_cannot"


def test_the_architecture_can_be_told_but_not_made_up() -> None:
    assert joined(FLUX, architecture="flux").architecture == "flux"
    with pytest.raises(Incompatible) as caught:
        joined(FLUX, architecture="sdxl")
    assert caught.value.key == "join.other_architecture"
    model, identity = given(FLUX[0])
    part = replace(identity.parts[0], architecture=None, architecture_candidates=("flux", "chroma"))
    open_ = (model, replace(identity, parts=(part,)))
    with pytest.raises(UnknownModel):
        joined([open_, *FLUX[1:]])
    assert joined([open_, *FLUX[1:]], architecture="flux").architecture == "flux"


def test_the_tables_of_places_agree_with_the_families() -> None:
    from kanna.families import family, tables

    for name in tables()["families"]:
        whole, home = arrangement(name), family(name)
        if whole is None or home is None:
            continue
        assert set(whole.programs) <= set(program_words()) <= set(UIS), name
        seat = whole.seat("vae", "vae")
        assert seat is not None, name
        if home.vae is not None:
            assert seat.prefix == home.vae_prefix, name
        for word in home.needs:
            role = word if word in {"vae", "clip_vision"} else "text_encoder"
            assert whole.seat(word, role) is not None, (name, word)


def test_published_files_have_their_parts_where_the_table_says() -> None:
    for name in headers():
        identity = known(name)
        whole = arrangement(identity.architecture)
        if identity.kind != "checkpoint" or whole is None or name == "stable-cascade-c-comfyui":
            continue
        for part in (part for part in identity.parts if part.layout != "nai"):
            word = part.variant or part.role if part.role == "text_encoder" else part.role
            seat = whole.seat(word, part.role)
            if seat is not None:
                assert (part.prefix, part.layout in (seat.layouts or (part.layout,))) == (
                    seat.prefix, True,
                ), name  # fmt: skip


def test_files_of_parts_are_called_what_people_call_them() -> None:
    assert file_word("diffusion_model", "diffusion_model", "sdxl") == "unet"
    assert file_word("diffusion_model", "diffusion_model", "flux") == "diffusion_model"
    assert file_word("t5xxl", "text_encoder", "flux") == "t5xxl"
    assert file_word("vae", "vae", None) == "vae"
    assert file_word("upscaler", "upscaler", None) == "upscaler"
