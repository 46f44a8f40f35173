"""What a conversion plans, on whole models that exist only as headers."""

from __future__ import annotations

import json
import struct
from functools import cache

import pytest

from kanna.demo import component_tensors
from kanna.dtypes import BF16, FP16, FP32, INT64, WORDS
from kanna.errors import Incompatible, Incomplete
from kanna.families import row_called, tables
from kanna.metadata import HISTORY
from kanna.model import ModelFile, TensorInfo
from kanna.ops.convert import ConvertOptions, convert
from kanna.ops.draft import Draft
from kanna.plan import Constant, Copy, Plan, WeightedSum
from models import (
    IDS,
    UNET,
    VAE,
    bare_vae,
    full_checkpoint,
    identity_of,
    ids,
    model_of,
    outputs,
    planned,
    plus,
    said,
    tensor,
    weight,
    without,
)  # fmt: skip


@cache
def checkpoint() -> ModelFile:
    return full_checkpoint(extras={"global_step": 470000, "epoch": 3, "optimizer_states": []})


def names(plan: Plan) -> list[str]:
    return [output.name for output in plan.outputs]


def test_without_options_every_tensor_stays_as_it_is_and_in_its_place() -> None:
    plan = planned(checkpoint())
    assert names(plan) == list(checkpoint())
    assert {type(output.op) for output in plan.outputs} == {Copy}
    assert plan.container == "safetensors"


def test_for_generation_leaves_the_1131_tensors_of_an_sd1_model() -> None:
    plan = planned(checkpoint(), purpose="generation")
    found = outputs(plan)
    assert len(found) == 1131
    assert {output.dtype for name, output in found.items() if name != IDS} == {FP16}
    assert not [name for name in found if name.startswith("model_ema")]


def test_for_generation_keeps_the_order_of_the_file() -> None:
    plan = planned(checkpoint(), purpose="generation")
    kept = set(names(plan))
    assert names(plan) == [name for name in checkpoint() if name in kept]


def test_for_training_keeps_the_ema_and_upcasts_what_is_smaller() -> None:
    half = model_of(TensorInfo(t.name, FP16, t.shape, t.data) if t.dtype is FP32 else t
                    for t in checkpoint().values())  # fmt: skip
    plan = planned(half, purpose="training")
    found = outputs(plan)
    assert set(found) == set(half)
    assert found["model_ema.diffusion_modelout2weight"].dtype is FP32
    assert found[f"{UNET}out.2.weight"].op == WeightedSum()


def test_options_go_before_the_purpose() -> None:
    plan = planned(checkpoint(), purpose="generation", dtype="bf16", ema="keep", prune=False)
    assert set(names(plan)) == set(checkpoint())
    assert outputs(plan)[f"{UNET}out.2.weight"].dtype is BF16


def test_parts_can_have_their_own_precision() -> None:
    plan = planned(
        checkpoint(), dtype="fp16", dtypes={"vae": "fp32", "ema": "bf16", "text_encoder": "bf16"}
    )
    found = outputs(plan)
    assert found[f"{VAE}decoder.conv_in.weight"].dtype is FP32
    assert found[f"{UNET}out.2.weight"].dtype is FP16
    assert found["model_ema.diffusion_modelout2weight"].dtype is BF16
    assert found["cond_stage_model.transformer.text_model.final_layer_norm.bias"].dtype is BF16


def test_schedules_counters_and_ids_are_never_cast() -> None:
    found = outputs(planned(checkpoint(), dtype="fp16"))
    for name in ("betas", "alphas_cumprod", "model_ema.decay", "model_ema.num_updates", IDS):
        assert found[name].dtype is checkpoint()[name].dtype
        assert found[name].op == Copy()


def test_dropping_the_ema_takes_its_weights_and_counters() -> None:
    plan = planned(checkpoint(), ema="drop")
    gone = set(checkpoint()) - set(names(plan))
    assert gone == {name for name in checkpoint() if name.startswith("model_ema.")}


def test_using_the_ema_puts_its_data_in_the_models_place() -> None:
    plan = planned(checkpoint(), ema="use")
    found = outputs(plan)
    assert len(found) == len(checkpoint()) - 688
    used = found[f"{UNET}input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"]
    ema = "model_ema.diffusion_modelinput_blocks11transformer_blocks0attn1to_qweight"
    assert used.inputs == (checkpoint()[ema],)
    assert used.op == Copy()


def test_an_incomplete_ema_cannot_be_used_and_the_missing_weight_is_named() -> None:
    model = without(checkpoint(), "model_ema.diffusion_modelout2weight")
    with pytest.raises(Incomplete) as caught:
        planned(model, ema="use")
    assert f"{UNET}out.2.weight" in str(caught.value)
    assert len(planned(model, ema="drop").outputs) == len(model) - 687


def test_no_ema_cannot_be_used() -> None:
    model = model_of(t for n, t in checkpoint().items() if not n.startswith("model_ema"))
    with pytest.raises(Incomplete, match="no EMA"):
        planned(model, ema="use")


def test_where_only_the_ema_is_whole_it_becomes_the_model() -> None:
    model = model_of(t for n, t in checkpoint().items() if not n.startswith(UNET))
    plan = planned(model, purpose="generation")
    assert len([name for name in names(plan) if name.startswith(UNET)]) == 686
    with pytest.raises(Incomplete, match="only the EMA"):
        planned(model, ema="drop")


def test_pruning_twice_is_pruning_once() -> None:
    once = planned(checkpoint(), ema="drop", prune=True)
    again = model_of(output.inputs[0] for output in once.outputs)
    assert names(planned(again, prune=True)) == names(once)


def test_pruning_keeps_what_it_does_not_know_and_says_so() -> None:
    model = plus(checkpoint(), weight("somebodys.invention", 4, 4))
    plan = planned(model, prune=True)
    assert "somebodys.invention" in names(plan)
    assert "convert.unrecognised_kept" in said(plan)


@pytest.mark.parametrize("marker", ["v_pred", "ztsnr", "edm_mean"])
def test_markers_survive_every_step(marker: str) -> None:
    model = plus(checkpoint(), weight(marker, 0), weight("edm_std", 4))
    found = outputs(planned(model, purpose="generation"))
    assert found[marker].op == Copy()
    assert found["edm_std"].dtype is FP32


def test_a_changed_schedule_is_no_junk() -> None:
    changed = tensor("alphas_cumprod", [1 - n / 1000 for n in range(1000)])
    model = plus(without(checkpoint(), "alphas_cumprod"), changed)
    plan = planned(model, prune=True)
    assert "alphas_cumprod" in names(plan)
    assert "convert.schedule_kept" in said(plan)
    assert "alphas_cumprod" not in names(planned(checkpoint(), prune=True))


DAMAGED = [0, 1, 2, 2.9999998, *range(4, 76), 75.9975]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("repair", list(range(77))), ("truncate", [0, 1, 2, 2, *range(4, 76), 75])],
)
def test_damaged_ids_become_int64(mode: str, expected: list[int]) -> None:
    model = plus(without(checkpoint(), IDS), ids(DAMAGED, FP32))
    plan = planned(model, position_ids=mode)
    output = outputs(plan)[IDS]
    assert (output.dtype, output.shape) == (INT64, (1, 77))
    assert output.op == Constant(struct.pack("<77q", *expected))
    assert f"convert.ids_{mode}_damaged" in said(plan)


def test_keeping_damaged_ids_is_said_and_dropping_them_takes_them_out() -> None:
    model = plus(without(checkpoint(), IDS), ids(DAMAGED, FP32))
    kept = planned(model, dtype="fp16")
    assert outputs(kept)[IDS].op == Copy()
    assert "convert.ids_keep_damaged" in said(kept)
    assert IDS not in names(planned(model, position_ids="drop"))


def test_right_ids_are_not_touched() -> None:
    model = plus(without(checkpoint(), IDS), ids(range(77)))
    assert outputs(planned(model, purpose="generation"))[IDS].op == Copy()


@pytest.mark.parametrize("prefix", ["", VAE, "vae."])
def test_a_vae_is_baked_under_the_names_of_the_checkpoint(prefix: str) -> None:
    vae = bare_vae(prefix)
    plan = planned(checkpoint(), vae, ema="drop")
    found = outputs(plan)
    assert len(found) == len(checkpoint()) - 688
    for name, source in vae.items():
        assert found[VAE + name.removeprefix(prefix)].inputs == (source,)
    record = json.loads(plan.metadata[HISTORY])[-1]["vae"]
    assert record["source"] == "vae.pt"
    assert len(record["sha256_fp16"]) == len(record["replaced_sha256_fp16"]) == 64


def test_a_whole_checkpoint_serves_as_the_source_of_a_vae() -> None:
    other = full_checkpoint(path="other.ckpt")
    found = outputs(planned(checkpoint(), other))
    assert found[f"{VAE}decoder.conv_in.weight"].inputs[0] is other[f"{VAE}decoder.conv_in.weight"]


def test_a_diffusers_vae_gets_the_native_names_and_shapes() -> None:
    vae = bare_vae(row="vae-kl-f8-c4-diffusers")
    found = outputs(planned(checkpoint(), vae))
    query = found[f"{VAE}decoder.mid.attn_1.q.weight"]
    assert query.shape == (512, 512, 1, 1)
    assert query.inputs[0].name == "decoder.mid_block.attentions.0.to_q.weight"
    up = found[f"{VAE}decoder.up.3.block.0.conv1.weight"]
    assert up.inputs[0].name == "decoder.up_blocks.0.resnets.0.conv1.weight"


def test_matrices_serve_as_convolutions_in_a_vae() -> None:
    flat = model_of(
        TensorInfo(t.name, t.dtype, t.shape[:2] if "attn_1" in t.name else t.shape, t.data)
        for t in bare_vae().values()
    )
    found = outputs(planned(checkpoint(), flat))
    assert found[f"{VAE}encoder.mid.attn_1.k.weight"].shape == (512, 512, 1, 1)


def test_a_model_without_vae_gets_one() -> None:
    model = model_of(t for n, t in checkpoint().items() if not n.startswith(VAE))
    found = outputs(planned(model, bare_vae(), purpose="generation"))
    assert len(found) == 1131
    assert found[f"{VAE}quant_conv.weight"].dtype is FP16


def test_a_vae_that_lacks_a_tensor_is_refused_by_name() -> None:
    with pytest.raises(Incomplete, match=r"decoder\.conv_in\.weight"):
        planned(checkpoint(), without(bare_vae(), "decoder.conv_in.weight"))


def test_a_vae_of_another_shape_is_refused() -> None:
    with pytest.raises(Incompatible, match="does not fit"):
        planned(checkpoint(), bare_vae(row="vae-kl-f8-c16-ldm"))


def test_a_file_without_vae_is_no_source_of_one() -> None:
    unet = model_of(component_tensors(UNET, "sd1-unet-ldm", seed=1))
    with pytest.raises(Incomplete, match="holds no VAE"):
        planned(checkpoint(), unet)


def test_old_text_encoder_names_become_the_standard_ones() -> None:
    te = "cond_stage_model.transformer."
    old = model_of(
        TensorInfo(t.name.replace(f"{te}text_model.", te), t.dtype, t.shape, t.data)
        for t in checkpoint().values()
    )
    assert f"{te}text_model.final_layer_norm.bias" not in outputs(planned(old))
    found = outputs(planned(old, rename_keys=True, purpose="generation"))
    assert set(found) == set(outputs(planned(checkpoint(), purpose="generation")))


def test_the_record_says_what_was_done_and_stale_hashes_are_renewed() -> None:
    metadata = {
        "modelspec.hash_sha256": "0xold", "sshs_legacy_hash": "old", "sshs_model_hash": "old",
        "modelspec.title": "Mine",
    }  # fmt: skip
    plan = planned(full_checkpoint(metadata=metadata), purpose="generation")
    assert plan.digest_fields == {"modelspec.hash_sha256": "0x", "sshs_model_hash": ""}
    assert "old" not in plan.metadata.values()
    assert plan.metadata["modelspec.title"] == "Mine"
    step = json.loads(plan.metadata[HISTORY])[-1]
    assert (step["verb"], step["ema"], step["pruned"]) == ("convert", "dropped", True)
    assert step["position_ids"]["mode"] == "repair"


def test_without_a_hash_no_old_one_stays() -> None:
    model = full_checkpoint(metadata={"modelspec.hash_sha256": "0xold"})
    plan = planned(model, digest=False)
    assert plan.digest_fields == {}
    assert "modelspec.hash_sha256" not in plan.metadata
    assert "convert.hash_dropped" in said(plan)


def test_history_grows() -> None:
    first = planned(checkpoint())
    model = full_checkpoint(metadata=first.metadata)
    assert len(json.loads(planned(model).metadata[HISTORY])) == 2


def test_a_ckpt_keeps_its_step_counts_but_no_trainer_state() -> None:
    plan = planned(checkpoint(), container="ckpt")
    assert plan.extras == {"global_step": 470000, "epoch": 3}
    assert planned(checkpoint(), container="ckpt", purpose="generation").extras == {}


def test_a_quantised_part_is_not_cast_unless_nobody_asked() -> None:
    scaled = [
        TensorInfo(t.name, WORDS["fp8_e4m3"], t.shape, t.data)
        for t in component_tensors(UNET, "sd1-unet-ldm", seed=1)
    ]
    scales = [weight(t.name.replace("weight", "scale_weight")) for t in scaled if len(t.shape) > 1]
    marker = TensorInfo(f"{UNET}scaled_fp8", WORDS["fp8_e4m3"], (0,), weight("x", 0).data)
    vae = component_tensors(VAE, "vae-kl-f8-c4-ldm", seed=2)
    model = model_of([*scaled, *scales, marker, *vae])
    plan = planned(model, dtype="fp16")
    assert not [name for name in outputs(plan) if "scale" in name or name.endswith("scaled_fp8")]
    assert {output.dtype for output in plan.outputs} <= {FP16, INT64}
    assert "quantize.now_plain" in said(plan)
    blocks = [
        TensorInfo(t.name.replace("scale_weight", "weight_scale_inv"), t.dtype, t.shape, t.data)
        for t in scales
    ]
    with pytest.raises(Incompatible, match="quantised"):
        planned(model_of([*scaled, *blocks, *vae]), dtype="fp16")
    plan = planned(model, purpose="generation")
    found = outputs(plan)
    assert found[f"{UNET}out.2.weight"].op == Copy()
    assert found[scales[0].name].op == Copy()
    assert found[f"{VAE}quant_conv.bias"].dtype is FP16
    assert "convert.quantised_kept" in said(plan)


def test_a_model_whose_vae_has_no_native_names_cannot_be_baked_into() -> None:
    sana = model_of(component_tensors("model.diffusion_model.", "sana-1600m", seed=1))
    with pytest.raises(Incompatible, match="where to put a VAE"):
        planned(sana, bare_vae())


@pytest.mark.parametrize(
    "row", [row["id"] for row in tables()["components"] if row["role"] == "vae"]
)
def test_every_other_vae_is_refused_in_words(row: str) -> None:
    if not row_called(row).required or row == "vae-kl-f8-c4-ldm" or "c4-diffusers" in row:
        return
    with pytest.raises((Incompatible, Incomplete)):
        planned(checkpoint(), bare_vae(row=row))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_ids_that_are_no_integers_can_be_repaired_but_not_truncated(value: float) -> None:
    model = plus(without(checkpoint(), IDS), ids([*range(76), value], FP32))
    assert outputs(planned(model, position_ids="repair"))[IDS].op == Constant(
        struct.pack("<77q", *range(77))
    )
    with pytest.raises(Incompatible, match="repair"):
        planned(model, position_ids="truncate")


def test_a_new_name_that_is_taken_is_refused() -> None:
    draft = Draft.of(checkpoint(), identity_of(checkpoint()))
    with pytest.raises(Incompatible):
        draft.rename({"betas": "alphas_cumprod"})
    draft.rename({"betas": "alphas_cumprod", "alphas_cumprod": "betas"})
    assert list(draft.outputs) == [
        {"betas": "alphas_cumprod", "alphas_cumprod": "betas"}.get(n, n) for n in checkpoint()
    ]


def test_a_name_tells_the_precision_that_is_there() -> None:
    options = ConvertOptions(dtype="bf16", dtypes={"vae": "fp32"})
    vae = bare_vae()
    assert convert(vae, identity_of(vae), options).tags == ("fp32",)
    assert convert(checkpoint(), identity_of(checkpoint()), options).tags == ("bf16",)


def test_where_no_number_changes_nothing_is_said_of_it() -> None:
    plan = planned(bare_vae(), dtype="fp32")
    assert "convert.cast" not in [note.key for note in plan.notes]
