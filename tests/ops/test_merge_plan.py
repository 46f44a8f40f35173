"""Plans of merges over real headers: what is summed, what is copied, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kanna.codebooks import FOUR_BIT
from kanna.dtypes import FP16, FP32
from kanna.errors import Incompatible, Incomplete, KannaError, UsageError
from kanna.identify import identify
from kanna.identify.ema import copy_name
from kanna.merging.recipe import Recipe, Source, Step, Weight, Wish
from kanna.model import ModelFile, TensorInfo
from kanna.ops.merge import MergePlan
from kanna.plan import Constant, Copy, Output, WeightedSum
from kanna.quantizing.bitsandbytes import state_text
from kanna.views.given import Given
from merge_files import drawn, header, held, made, mixed, numbers, planned, recipe
from model_headers import headers, in_blocks
from models import bare_vae, full_checkpoint, ids

UNET = "model.diffusion_model."
CONV_IN = f"{UNET}input_blocks.0.0.weight"
IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids"
SD1 = "sd15-fp16-pruned"


def outputs(plan: MergePlan) -> dict[str, Output]:
    return {output.name: output for output in plan.plan.outputs}


def told(plan: MergePlan) -> dict[str, Mapping[str, object]]:
    return {note.key.removeprefix("merge."): note.values for note in plan.plan.notes}


def is_copy_of(output: Output, tensor: TensorInfo) -> bool:
    return isinstance(output.op, Copy) and output.inputs[0].data is tensor.data


# what is merged


@pytest.mark.parametrize(
    ("one", "two", "merged"),
    [
        (SD1, "sd15-full-ema-fp32", 882),
        ("sdxl-base-fp16", "sdxl-finetune-fp16", 2265),
        ("sd35-large", "sd35-large-turbo", 923),
        ("flux1-dev-bf16", "flux1-dev-bf16-aio", 780),
        ("auraflow-v03-dit", "auraflow-v03-dit", 331),
        ("sana-1600m-orig-st-bf16", "sana-1600m-diffusers-bf16", 0),
    ],
)
def test_all_weights_of_the_parts_that_both_have_are_merged(
    one: str, two: str, merged: int
) -> None:
    a, b = header(one, 1), header(two, 2)
    plan = mixed(a, b)
    made_anew = {name for name, out in outputs(plan).items() if isinstance(out.op, WeightedSum)}
    parts = {part.role for part in identify(b).parts} - {"vae"}
    weights = {
        name for part in identify(a).parts if part.role in parts for name in part.names
        if a[name].dtype.is_float
    }  # fmt: skip
    left = {name for name in weights - made_anew if not name.endswith("logit_scale")}
    assert made_anew <= weights
    assert left == ({"y_embedder.y_embedding"} if "sana" in one else set())
    assert plan.merged == len(made_anew)
    assert merged in {0, plan.merged}
    assert all(outputs(plan)[name].dtype is a[name].dtype for name in made_anew)


def test_sums_are_rounded_once(tmp_path: Path) -> None:
    a, b = header(SD1, 1), header("sd15-full-ema-fp32", 2)
    names = [f"{UNET}out.2.weight", f"{UNET}time_embed.0.bias"]
    merged = made(mixed(a, b, 0.3), tmp_path, names)
    for name in names:
        wanted = 0.7 * numbers(a[name]).double() + 0.3 * numbers(b[name]).double()
        off = merged[name] != wanted.half()
        assert merged[name].dtype == torch.float16
        assert off.float().mean() < 0.001


def test_differences_are_added(tmp_path: Path) -> None:
    a, b, c = (header(SD1, seed) for seed in (1, 2, 3))
    plan = planned(recipe("ab", "add-difference", base="c", alpha=0.5), a=a, b=b, c=c)
    name = f"{UNET}out.2.weight"
    one, two, three = (numbers(model[name]).double() for model in (a, b, c))
    wanted = (one + 0.5 * (two - three)).half()
    assert torch.allclose(made(plan, tmp_path, [name])[name], wanted, atol=0, rtol=2e-3)


@pytest.mark.parametrize("share", [0, 1])
def test_all_of_one_model_is_a_copy_of_it(share: int) -> None:
    a, b = header(SD1, 1), header(SD1, 2)
    plan = mixed(a, b, float(share))
    for name, output in outputs(plan).items():
        if name == IDS or "first_stage" in name or output.name.endswith("position_ids"):
            assert not share or is_copy_of(output, a[name])
        else:
            assert is_copy_of(output, (a, b)[share][name])


def test_a_model_mixed_with_itself_is_itself() -> None:
    a = header(SD1, 1)
    assert all(is_copy_of(out, a[name]) for name, out in outputs(mixed(a, a, 0.3)).items())


def test_threads_change_no_byte(tmp_path: Path) -> None:
    a, b = header(SD1, 1), header(SD1, 2)
    names = [n for n, t in a.items() if t.numel < 20000][:200]
    runs = []
    for threads in (1, 2, 4):
        made(mixed(a, b), tmp_path, names, threads=threads)
        runs.append((tmp_path / "made.safetensors").read_bytes())
    assert runs[0] == runs[1] == runs[2]


def test_steps_may_build_on_each_other(tmp_path: Path) -> None:
    models = {name: header(SD1, seed) for seed, name in enumerate("abc")}
    steps = (
        Step(name="one", method="weighted-sum", models=("a", "b"),
             parameters={"alpha": Weight(value=0.25)}),
        Step(name="two", method="weighted-sum", models=("one", "c"),
             parameters={"alpha": Weight(value=0.5)}),
    )  # fmt: skip
    sources = {name: Source(path=name) for name in models}
    plan = planned(Recipe(sources=sources, steps=steps), **models)
    name = f"{UNET}time_embed.0.bias"
    one, two, three = (numbers(models[n][name]).double() for n in "abc")
    wanted = (0.375 * one + 0.125 * two + 0.5 * three).half()
    assert torch.equal(made(plan, tmp_path, [name])[name], wanted)
    assert plan.parts.lead == "a"
    assert len(outputs(plan)[name].inputs) == 3  # nothing between them is ever made


def test_blocks_have_their_own_numbers() -> None:
    a, b = header(SD1, 1), header(SD1, 2)
    weight = Weight(value=0.5, blocks="OUT11=1, M00=0", elements=("time_embed=0.25",))
    plan = planned(recipe("ab", parameters={"alpha": weight}), a=a, b=b)
    assert is_copy_of(outputs(plan)[f"{UNET}out.2.weight"], b[f"{UNET}out.2.weight"])
    middle = f"{UNET}middle_block.0.in_layers.2.weight"
    assert is_copy_of(outputs(plan)[middle], a[middle])
    op = outputs(plan)[f"{UNET}time_embed.0.bias"].op
    assert isinstance(op, WeightedSum)
    assert op.weights == (0.75, 0.25)
    table = plan.tables["mix.alpha"]
    assert (table["OUT11"], table["M00"], table["IN05"]) == (1, 0, 0.5)
    assert "VAE" not in table


# what is copied


def test_what_is_no_weight_is_that_of_the_lead() -> None:
    a, b = header("sd15-fp16-sched", 1), header("sd15-fp16-sched", 2)
    plan = mixed(a, b)
    beside = [name for name in a if not name.startswith((UNET, "first_", "cond_"))]
    assert "alphas_cumprod" in beside
    assert all(is_copy_of(outputs(plan)[name], a[name]) for name in (*beside, IDS))
    assert plan.kept["buffer"] == len(beside)


def test_markers_and_logit_scale_are_those_of_the_lead() -> None:
    a, b = header("sdxl-vpred-ztsnr-fp16", 1), header("sdxl-vpred-ztsnr-fp16", 2)
    plan = mixed(a, b)
    scale = "conditioner.embedders.1.model.logit_scale"
    for name in ("v_pred", "ztsnr", *(n for n in [scale] if n in a)):
        assert is_copy_of(outputs(plan)[name], a[name])
    assert mixed(a, b, prune=True).kept["marker"] == plan.kept["marker"] == 2


def test_the_ema_is_dropped_or_copied_and_never_mixed() -> None:
    a, b = full_checkpoint(), full_checkpoint(path="b.ckpt")
    dropped, kept = mixed(a, b), mixed(a, b, ema="keep")
    name = copy_name(CONV_IN)
    assert name not in outputs(dropped)
    assert "model_ema.decay" not in outputs(dropped)
    assert "convert.ema_dropped" in {note.key for note in dropped.plan.notes}
    assert is_copy_of(outputs(kept)[name], a[name])
    assert told(kept)["ema_kept"]
    assert "ema_kept" not in told(dropped)
    with pytest.raises(UsageError):
        mixed(a, b, ema="use")


def test_the_vae_is_whose_it_is_asked_to_be() -> None:
    a, b, vae = header(SD1, 1), header(SD1, 2), bare_vae()
    name = "first_stage_model.decoder.conv_in.weight"
    assert is_copy_of(outputs(mixed(a, b))[name], a[name])
    assert "vae_of_lead" in told(mixed(a, b))
    assert is_copy_of(outputs(mixed(a, b, vae="a"))[name], a[name])
    assert isinstance(outputs(mixed(a, b, vae="merge"))[name].op, WeightedSum)
    taken = mixed(a, b, vae="b")
    assert is_copy_of(outputs(taken)[name], b[name])
    assert taken.baked is not None
    baked = planned(recipe("ab", alpha=0.3, wish=Wish(vae="v"), more="v"), a=a, b=b, v=vae)
    assert outputs(baked)[name].inputs[0].data is vae["decoder.conv_in.weight"].data


def test_every_tensor_of_the_output_counts_once() -> None:
    sd1, bare, vae = header("sd15-fp16-sched", 1), header("sd15-fp16-novae", 2), bare_vae()
    full = header("sd15-full-ema-fp32", 3)
    for a, b, wish in ((sd1, bare, Wish(vae="v", prune=True)), (bare, sd1, Wish(vae="v")),
                       (full, sd1, Wish(vae="v")), (full, bare, Wish(ema="keep", vae="v"))):  # fmt: skip
        plan = planned(recipe("ab", alpha=0.3, wish=wish, more="v"), a=a, b=b, v=vae)
        assert plan.kept["baked"] == 248
        assert plan.merged + sum(plan.kept.values()) == len(plan.plan.outputs)
        assert ("ema" in plan.kept) == (wish.ema == "keep")


def test_vaes_by_themselves_are_merged() -> None:
    plan = mixed(header("vae-sdxl-fp16", 1), header("vae-sdxl-fp16", 2))
    assert plan.merged == len(plan.plan.outputs) > 200
    with pytest.raises(Incompatible):
        mixed(header("vae-sdxl-fp16", 1), header("vae-flux-diffusers-bf16", 2))


def test_parts_that_only_one_model_has_stay_or_are_left_out() -> None:
    whole, unet = header("sdxl-base-fp16", 1), header("sdxl-unet-diffusers-f16", 2)
    plan = mixed(whole, unet)
    assert len(plan.plan.outputs) == len(whole)
    assert plan.merged == 1680
    assert "clip-g" in str(told(plan)["part_of_lead"]["parts"])
    plan = mixed(header("sdxl-unet-only-fp16", 1), whole)
    assert "clip-g" in str(told(plan)["part_left_out"]["parts"])
    with pytest.raises(Incompatible) as refused:
        mixed(whole, unet, missing="refuse")
    assert refused.value.key == "merge.lacking"


def test_names_that_only_one_model_has_are_told() -> None:
    dev, schnell = header("flux1-dev-bf16", 1), header("flux1-schnell-bf16", 2)
    plan = mixed(dev, schnell)
    assert told(plan)["lacks"]["count"] == 4
    assert is_copy_of(outputs(plan)["guidance_in.in_layer.bias"], dev["guidance_in.in_layer.bias"])
    assert told(mixed(schnell, dev))["strangers"]["count"] == 4
    with pytest.raises(Incompatible) as refused:
        mixed(schnell, dev, missing="refuse")
    assert refused.value.key == "merge.strange"


# position ids


def merge_of_2022(a: ModelFile, b: ModelFile, alpha: float) -> list[float]:
    """What add difference made of position ids before 2023: floats, averaged like weights."""
    one, two = (numbers(model[IDS]).float() for model in (a, b))
    return [float(x) for x in ((1 - alpha) * one + alpha * two).flatten()]


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.9])
def test_damaged_position_ids_are_repaired_whoever_has_them(alpha: float) -> None:
    clean = header(SD1, 1)
    wrong = ids(merge_of_2022(clean, clean, alpha), FP32)
    broken = replace(clean, tensors={**clean.tensors, IDS: wrong}, path=Path("old.safetensors"))
    assert identify(broken).position_ids.state == "damaged"
    for a, b in ((clean, broken), (broken, clean), (broken, broken)):
        written = outputs(mixed(a, b))[IDS]
        assert written.dtype.word == "int64"
        op = written.op
        data = op.data if isinstance(op, Constant) else written.inputs[0].read()
        assert list(memoryview(data).cast("q")) == list(range(77))


def test_position_ids_are_never_made_up() -> None:
    a, b = header("sd15-fp16-no-posids", 1), header(SD1, 2)
    assert IDS not in outputs(mixed(a, b))


@pytest.mark.parametrize("compat", [None, "a1111"])
def test_ids_of_sdxl_stay_integers_too(compat: str | None) -> None:
    a, b = header("sdxl-base-fp16", 1), header("sdxl-base-fp16", 2)
    name = "conditioner.embedders.0.transformer.text_model.embeddings.position_ids"
    asked = replace(recipe("ab", alpha=0.35), compat=compat)  # type: ignore[arg-type]
    assert is_copy_of(outputs(planned(asked, a=a, b=b))[name], a[name])


# wide models


def test_only_the_first_channels_of_a_wide_model_are_merged(tmp_path: Path) -> None:
    wide = header("sd15-inpaint-fp16", 1)
    b, c = header(SD1, 2), header(SD1, 3)
    plan = planned(recipe("ab", "add-difference", base="c", alpha=1.0), a=wide, b=b, c=c)
    merged = made(plan, tmp_path, [CONV_IN])[CONV_IN]
    one, two, three = (numbers(model[CONV_IN]) for model in (wide, b, c))
    assert torch.equal(merged[:, 4:], one[:, 4:])
    wanted = one[:, :4].double() + two.double() - three.double()
    assert torch.allclose(merged[:, :4].double(), wanted, atol=3e-4)
    assert told(plan)["wide"]["merged"] == 4
    assert plan.wide is not None
    assert (plan.wide.channels, plan.wide.merged) == (9, 4)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("sd15-inpaint-fp16", SD1),
        ("sd15-ip2p-fp16", SD1),
        ("sdxl-inpaint-fp16", "sdxl-base-fp16"),
        ("flux1-fill-dev-bf16", "flux1-dev-bf16"),
    ],
)
def test_the_wide_model_leads(wide: str, narrow: str) -> None:
    one, two = header(wide, 1), header(narrow, 2)
    assert mixed(one, two).wide is not None
    with pytest.raises(Incompatible) as refused:
        mixed(two, one)
    assert refused.value.key == "merge.narrow_leads"
    assert f"Put {one.path}" in refused.value.hint


# containers and precision


def test_a_scaled_lead_becomes_plain_numbers() -> None:
    scaled = headers()["flux1-dev-fp8-scaled"].model()
    plan = mixed(scaled, header("flux1-dev-bf16", 2))
    written = outputs(plan)
    assert not [name for name in written if "scale" in name and not name.endswith("norm.scale")]
    assert {output.dtype.word for output in written.values()} <= {"bf16", "fp32"}
    assert written["double_blocks.0.img_attn.proj.weight"].dtype.word == "bf16"
    assert told(plan)["halved"]
    half = mixed(scaled, header("flux1-dev-bf16", 2), dtype="fp16")
    assert {output.dtype.word for output in outputs(half).values()} == {"fp16"}


def test_quantised_others_are_decoded() -> None:
    lead = header("flux1-dev-bf16", 1)
    blocks = headers()["flux1-dev-bf16"].model()
    packed = {name: in_blocks(tensor) for name, tensor in blocks.items()}
    gguf = replace(blocks, tensors=packed, path=Path("b.gguf"), container="gguf")
    for other in (gguf, with_states(headers()["flux1-dev-bnb-nf4-unet"].model(), lead)):
        plan = mixed(lead, other)
        assert plan.merged == len(lead)
        assert {output.dtype.word for output in outputs(plan).values()} == {"bf16"}
        assert told(plan)["decoded"]


def with_states(packed: ModelFile, plain: ModelFile) -> ModelFile:
    """A model in NF4 whose states say what the weights were, and whose tables are those of NF4."""
    tensors = dict(packed.tensors)
    for name, tensor in packed.items():
        weight = name.partition(".quant_state")[0]
        if weight != name:
            text = state_text("nf4", 64, "bfloat16", plain[weight].shape, nested=False)
            tensors[name] = replace(tensor, data=Given(text.ljust(tensor.numel)))
        elif name.endswith(".quant_map"):
            tensors[name] = replace(tensor, data=Given(FOUR_BIT["nf4"]))
    return replace(packed, tensors=tensors)


def test_parts_that_do_not_merge_stay_quantised() -> None:
    lead = headers()["flux1-dev-fp8-aio"].model()
    plan = mixed(lead, header("flux1-dev-bf16", 2))
    assert outputs(plan)["model.diffusion_model.img_in.weight"].dtype.word == "fp8_e4m3"
    encoder = "text_encoders.t5xxl.transformer.shared.weight"
    assert is_copy_of(outputs(plan)[encoder], lead[encoder])


def test_dtypes_are_by_part_and_sums_are_rounded_to_them_at_once(tmp_path: Path) -> None:
    a, b = header(SD1, 1), header(SD1, 2)
    plan = mixed(a, b, dtype="fp32", dtypes={"text_encoder": "bf16"})
    name = f"{UNET}time_embed.0.bias"
    written = outputs(plan)[name]
    assert isinstance(written.op, WeightedSum)
    assert written.op.weights == (0.7, 0.3)
    wanted = 0.7 * numbers(a[name]).double() + 0.3 * numbers(b[name]).double()
    assert torch.allclose(made(plan, tmp_path, [name])[name].double(), wanted, atol=1e-8)
    words = {out.dtype.word for n, out in outputs(plan).items() if n.startswith("cond_")}
    assert words == {"bf16", "int64"}


def test_pruning_is_that_of_convert() -> None:
    a, b = header("sd15-fp16-sched", 1), header(SD1, 2)
    plan = mixed(a, b, prune=True)
    assert "betas" not in outputs(plan)
    assert plan.dropped == len(a) - len(plan.plan.outputs)


# what the output says of itself


def test_metadata_of_the_lead_and_the_history_go_on() -> None:
    a = replace(header(SD1, 1), metadata={"modelspec.prediction_type": "epsilon", "note": "mine"})
    plan = mixed(a, header(SD1, 2))
    assert plan.plan.metadata["note"] == "mine"
    assert plan.plan.metadata["modelspec.prediction_type"] == "epsilon"
    (step,) = json.loads(plan.plan.metadata["kanna.history"])
    assert step["verb"] == "merge"
    assert step["inputs"] == {"a": "a.safetensors", "b": "b.safetensors"}
    assert step["methods"] == ["weighted-sum"]


def test_methods_that_measure_come_with_their_pass() -> None:
    a, b = header("vae-taesd-decoder", 1), header("vae-taesd-decoder", 2)
    assert planned(recipe("ab", "cosine-a"), a=a, b=b).plan.measurements
    assert not mixed(a, b).plan.measurements


# what is refused


@pytest.mark.parametrize(
    ("one", "two", "key"),
    [
        (SD1, "sdxl-base-fp16", "architectures"),
        ("sdxl-base-fp16", SD1, "architectures"),
        ("sdxl-base-fp16", "sdxl-refiner-fp16", "architectures"),
        ("sdxl-base-fp16", "sdxl-vpred-ztsnr-fp16", "predictions"),
        ("sdxl-base-fp16", "flux1-dev-bf16", "architectures"),
        ("sdxl-base-fp16", "ssd1b-fp16", "built_differently"),
        ("sdxl-base-fp16", "koala-1b-fp16", "shapes"),
        ("sd35-large", "sd35-medium", "shapes"),
        ("sd3-medium", "sd35-medium", "shapes"),
        ("sana-1600m-orig-st-bf16", "sana-600m-orig-fp32", "shapes"),
        ("stable-cascade-c-bf16", "stable-cascade-c-lite-bf16", "shapes"),
        (SD1, "lora-kohya-sd1-r128", "lora_as_model"),
        (SD1, "loha-sd1-tucker-r8", "lora_as_model"),
        (SD1, "embedding-sd1-pt", "no_model"),
        (SD1, "hypernetwork-a1111-sd1-ln", "no_model"),
        (SD1, "t2iadapter-sd1-color-pth-fp32", "nothing_in_common"),
        (SD1, "ipadapter-sd15-bin", "nothing_in_common"),
        ("sdxl-unet-only-fp16", "vae-sdxl-fp16", "nothing_in_common"),
        ("te-clip-l-fp16", "sd15-unet-diffusers-f16", "nothing_in_common"),
        (SD1, "vae-sd1-ft-mse", "only_vae"),
        ("sdxl-base-fp16", "vae-sdxl-fp16", "only_vae"),
        ("flux1-dev-bf16", "chroma-bf16", "architectures"),
        (SD1, "controlnet-sd1-fp16", "nothing_in_common"),
    ],
)
def test_wrong_pairs_are_refused(one: str, two: str, key: str) -> None:
    with pytest.raises(Incompatible) as refused:
        mixed(header(one, 1), header(two, 2))
    assert refused.value.key == f"merge.{key}"
    assert refused.value.exit_code == 13
    assert "2.safetensors" in refused.value.message
    assert refused.value.hint


def test_vaes_meet_where_they_are_merged() -> None:
    whole, vae = header(SD1, 1), header("vae-sd1-ft-mse", 2)
    assert mixed(whole, vae, vae="merge").merged == 248
    assert mixed(vae, whole).merged == 248


def test_what_no_header_tells_of_the_prediction_is_told() -> None:
    names = ("sd20-base-512-fp32", "sd21-768v-fp32")
    base, v = (replace(headers()[name].model(), path=Path(name)) for name in names)
    assert told(mixed(base, v))["prediction_unknown"]["names"] == ", ".join(names)
    sdxl = header("sdxl-base-fp16", 1), header("sdxl-unet-diffusers-f16", 2)
    assert "prediction_unknown" not in told(mixed(*sdxl))


def test_a_lora_cannot_lead_either() -> None:
    with pytest.raises(Incompatible) as refused:
        mixed(header("lora-kohya-sd1-r128", 1), header(SD1, 2))
    assert refused.value.key == "merge.lora_as_model"


def test_broken_models_are_refused() -> None:
    whole = header(SD1, 1)
    broken = replace(whole, tensors={n: t for n, t in whole.items() if n != CONV_IN})
    bent = replace(whole[CONV_IN], shape=(320, 4, 9))
    for bad in (broken, replace(whole, tensors={**whole.tensors, CONV_IN: bent})):
        for pair in ((whole, bad), (bad, whole)):
            with pytest.raises(KannaError) as refused:
                mixed(*pair)
            assert refused.value.key in {"merge.incomplete", "merge.shapes"}
            assert isinstance(refused.value, Incomplete | Incompatible)


def test_a_shape_is_never_broadcast() -> None:
    a = header(SD1, 1)
    name = "cond_stage_model.transformer.text_model.final_layer_norm.bias"
    one = TensorInfo(name, FP16, (1,), a[name].data)
    odd = replace(a, tensors={**a.tensors, name: one})
    with pytest.raises(Incompatible) as refused:
        mixed(a, odd)
    assert refused.value.key == "merge.shapes"
    assert refused.value.values["name"] == name


def test_unknown_models_are_merged_only_where_they_agree() -> None:
    tensors = {"x.weight": torch.ones(4, 4), "x.bias": torch.zeros(4)}
    a, b = held(tensors), held({**tensors, "x.bias": torch.ones(4)})
    plan = mixed(a, b)
    assert plan.merged == 2
    assert "unknown" in told(plan)
    with pytest.raises(Incompatible) as refused:
        mixed(a, held({**tensors, "x.bias": torch.zeros(5)}))
    assert refused.value.key == "merge.shapes"
    with pytest.raises(Incompatible) as refused:
        mixed(a, header(SD1, 2))
    assert refused.value.key == "merge.nothing_in_common"


def test_recipes_name_what_is_there() -> None:
    a = header("vae-taesd-decoder", 1)
    wrong = replace(recipe("ab", alpha=0.3), sources={"a": Source(path="a")})
    with pytest.raises(UsageError) as refused:
        planned(wrong, a=a)
    assert refused.value.key == "recipe.no_such_model"


def test_drawn_numbers_are_the_same_again() -> None:
    a = headers()["vae-taesd-decoder"].model()
    name = next(iter(a))
    assert drawn(a, 1)[name].read() == drawn(a, 1)[name].read() != drawn(a, 2)[name].read()
