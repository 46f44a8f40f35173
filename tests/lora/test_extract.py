"""LoRAs extracted from two models: what they are called, what they keep, what they say of it."""

from __future__ import annotations

import json
from math import sqrt
from threading import Event

import pytest
import torch

from kanna.errors import Incompatible, Interrupted, NumericError, UsageError
from kanna.ops.lora_extract import Extracted, extract, prepare
from kanna.ops.lora_extract_options import ExtractOptions
from kanna.ops.merge_inputs import Opened
from lora_files import file_of, random, values
from lora_pairs import (
    CLIP,
    FLUX,
    UNET,
    added_to,
    flux_model,
    lora_of,
    opened,
    part,
    sd1,
    sd1_model,
)

BASE = sd1(0)
LAYER = UNET + "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
CONV = UNET + "input_blocks.1.0.in_layers.2.weight"
TEXT = CLIP + "text_model.encoder.layers.0.self_attn.q_proj.weight"
NORM = UNET + "input_blocks.1.1.norm.weight"


def tuned(rank: int, *, scale: float = 0.05) -> dict[str, torch.Tensor]:
    """The base with a change of this rank in some of its layers, and none elsewhere."""
    made = dict(BASE)
    for at, (name, one) in enumerate(BASE.items()):
        if name in {LAYER, CONV, TEXT} or (
            one.ndim > 1 and at % 17 == 0 and "embedding" not in name
        ):
            left = random(one.shape[0], rank, seed=at + 5000)
            right = random(rank, one[0].numel(), seed=at + 9000, scale=scale)
            made[name] = one + (left @ right).reshape(one.shape)
    return made


def extracted(a: Opened, b: Opened, **options: object) -> Extracted:
    return extract(prepare(a, b, ExtractOptions(**options)))  # type: ignore[arg-type]


def errors(model: Opened, done: Extracted, wanted: dict[str, torch.Tensor]) -> tuple[float, float]:
    """The norm of what the base with the LoRA lacks of the tuned model, and of the difference."""
    added = added_to(model, lora_of(done.plan))
    lacking = [wanted[name] - BASE[name] - added.get(name, torch.zeros(())) for name in BASE]
    whole = [wanted[name] - BASE[name] for name in BASE]
    return tuple(sqrt(sum(float(one.double().square().sum()) for one in some))  # type: ignore[return-value]
                 for some in (lacking, whole))  # fmt: skip


def test_a_change_of_low_rank_is_restored() -> None:
    wanted = tuned(3)
    base = sd1_model(BASE)
    done = extracted(sd1_model(wanted), base, rank=4, dtype="fp32")
    lacking, whole = errors(base, done, wanted)
    assert done.report.error < 1e-5
    assert lacking / whole < 2e-5  # taking the difference in fp32 rounds, too


@pytest.mark.parametrize("dtype", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("rank", [1, 3])
def test_baking_it_lacks_what_was_stated(rank: int, dtype: str) -> None:
    wanted = tuned(6)
    wanted[NORM] = BASE[NORM] + 0.3
    base = sd1_model(BASE)
    done = extracted(sd1_model(wanted), base, rank=rank, dtype=dtype)
    lacking, whole = errors(base, done, wanted)
    assert 0.1 < done.report.error < 1
    assert lacking / whole == pytest.approx(done.report.error, rel=1e-4)
    assert done.report.beside == 1


def test_whole_differences_carry_what_no_lora_does() -> None:
    wanted = tuned(2)
    wanted[NORM] = BASE[NORM] + 0.3
    done = extracted(sd1_model(wanted), sd1_model(BASE), rank=4, dtype="fp32", full=True)
    assert done.report.written_squares == pytest.approx(0.09 * BASE[NORM].numel(), rel=1e-4)
    assert done.report.error < 1e-5
    output = next(one for one in done.plan.outputs if one.name.endswith(".diff"))
    assert output.name == "lora_unet_down_blocks_0_attentions_0_norm.diff"
    assert torch.allclose(values(output.inputs[0]), wanted[NORM] - BASE[NORM])


def test_names_and_shapes_are_those_of_kohya() -> None:
    done = extracted(sd1_model(tuned(2)), sd1_model(BASE), rank=2, conv_rank=3)
    shapes = {output.name: output.shape for output in done.plan.outputs}
    to_q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    assert shapes[f"{to_q}.lora_up.weight"] == (8, 2)
    assert shapes[f"{to_q}.lora_down.weight"] == (2, 8)
    assert shapes[f"{to_q}.alpha"] == ()
    conv = "lora_unet_down_blocks_0_resnets_0_conv1"
    assert shapes[f"{conv}.lora_up.weight"] == (8, 3, 1, 1)
    assert shapes[f"{conv}.lora_down.weight"] == (3, 8, 3, 3)
    assert "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight" in shapes
    blocks = [row.name for row in done.report.blocks]
    assert "IN01" in blocks
    assert blocks[-1] == "clip-l"
    assert not any("embedding" in name and "time" not in name for name in shapes)


def test_alpha_is_the_rank_and_metadata_say_so() -> None:
    done = extracted(sd1_model(tuned(2)), sd1_model(BASE), rank=2, conv_rank=3)
    alphas = {output.name: values(output.inputs[0]).item()
              for output in done.plan.outputs if output.name.endswith("alpha")}  # fmt: skip
    assert set(alphas.values()) == {2.0, 3.0}
    fields = done.plan.metadata
    assert (fields["ss_network_dim"], fields["ss_network_alpha"]) == ("2", "2")
    assert json.loads(fields["ss_network_args"]) == {"conv_dim": "3", "conv_alpha": "3"}
    assert fields["ss_base_model_version"] == "sd_v1"
    assert fields["ss_network_module"] == "networks.lora"
    assert fields["modelspec.architecture"] == "stable-diffusion-v1/lora"
    (step,) = json.loads(fields["kanna.history"])
    assert step["relative_error"] == pytest.approx(done.report.error, rel=1e-3)


def test_convolutions_and_text_encoders_can_be_left_out() -> None:
    done = extracted(sd1_model(tuned(2)), sd1_model(BASE), rank=2, conv_rank=0,
                     text_encoders=False)  # fmt: skip
    names = [output.name for output in done.plan.outputs]
    assert not any("lora_te" in name or "conv1" in name for name in names)
    assert done.report.skipped == 2
    assert done.report.skipped_squares > 0


def test_layers_that_hardly_differ_are_left_out() -> None:
    wanted = {**BASE, LAYER: BASE[LAYER] + 0.5, CONV: BASE[CONV] + 0.01}
    done = extracted(sd1_model(wanted), sd1_model(BASE), rank=1, least=0.1)
    assert len(done.plan.outputs) == 3
    assert done.report.skipped == 1
    assert done.report.overall.layers == 1


def test_a_dynamic_rank_follows_each_layer() -> None:
    wanted = dict(BASE)
    for name, rank in ((LAYER, 1), (CONV, 4)):
        one = BASE[name]
        change = random(one.shape[0], rank, seed=1) @ random(rank, one[0].numel(), seed=2)
        wanted[name] = one + change.reshape(one.shape)
    done = extracted(sd1_model(wanted), sd1_model(BASE), dynamic="frobenius:0.9999", dtype="fp32")
    assert done.report.overall.ranks == ((1, 1), (4, 1))
    assert done.plan.metadata["ss_network_dim"] == "1"


def test_projections_of_flux_are_fused_for_kohya() -> None:
    base = {name: random(*shape, seed=at) for at, (name, shape) in enumerate(FLUX.items())}
    wanted = {name: one + random(*one.shape, seed=99, scale=0.1) for name, one in base.items()}
    done = extracted(flux_model(wanted), flux_model(base), rank=16, dtype="fp32")
    made = {output.name: output.inputs[0] for output in done.plan.outputs}
    stem = "lora_unet_double_blocks_0_img_attn_qkv"
    product = values(made[f"{stem}.lora_up.weight"]) @ values(made[f"{stem}.lora_down.weight"])
    three = [f"transformer_blocks.0.attn.to_{word}.weight" for word in "qkv"]
    expected = torch.cat([wanted[name] - base[name] for name in three])
    assert torch.allclose(product, expected, atol=1e-5)


def test_fused_projections_of_openclip_are_parted_for_kohya() -> None:
    names = {
        "te2.transformer.resblocks.0.attn.in_proj_weight": (48, 16),
        "te2.transformer.resblocks.0.attn.in_proj_bias": (48,),
        "te2.transformer.resblocks.0.attn.out_proj.weight": (16, 16),
    }
    base = {name: random(*shape, seed=at) for at, (name, shape) in enumerate(names.items())}
    wanted = {name: one + random(*one.shape, seed=7, scale=0.1) for name, one in base.items()}
    sides = [
        opened(file_of(one), "sdxl", part("text_encoder", "te2.", one, variant="clip-g",
                                          layout="openclip", component="clip-g-openclip"))
        for one in (wanted, base)
    ]  # fmt: skip
    done = extracted(*sides, rank=16, dtype="fp32")
    made = {output.name: output.inputs[0] for output in done.plan.outputs}
    stem = "lora_te2_text_model_encoder_layers_0_self_attn_k_proj"
    product = values(made[f"{stem}.lora_up.weight"]) @ values(made[f"{stem}.lora_down.weight"])
    name = "te2.transformer.resblocks.0.attn.in_proj_weight"
    assert torch.allclose(product, (wanted[name] - base[name])[16:32], atol=1e-5)


@pytest.mark.parametrize("dialect", ["comfy", "diffusers"])
def test_other_dialects_bake_alike(dialect: str) -> None:
    wanted, base = tuned(2), sd1_model(BASE)
    text_encoders = dialect == "diffusers"
    done = extracted(sd1_model(wanted), base, rank=4, dtype="fp32", dialect=dialect,
                     text_encoders=text_encoders)  # fmt: skip
    added = added_to(base, lora_of(done.plan))
    for name in (LAYER, CONV):
        assert torch.allclose(added[name], wanted[name] - BASE[name], atol=1e-4)


def test_models_that_do_not_go_together_are_refused() -> None:
    base = sd1_model(BASE)
    with pytest.raises(Incompatible, match=r"."):
        prepare(flux_model({n: random(*s) for n, s in FLUX.items()}), base, ExtractOptions())
    wide = {**BASE, LAYER: random(9, 9)}
    with pytest.raises(Incompatible):
        prepare(sd1_model(wide), base, ExtractOptions())
    with pytest.raises(Incompatible):  # nothing differs
        extracted(sd1_model(BASE), base)
    with pytest.raises(Incompatible):
        prepare(opened(file_of({}), "sd1", kind="lora"), base, ExtractOptions())


def test_other_channels_are_left_out_and_told() -> None:
    name = UNET + "input_blocks.0.0.weight"
    shape = BASE[name].shape
    wanted = {**tuned(2), name: random(shape[0], 9, *shape[2:])}
    done = extracted(sd1_model(wanted), sd1_model(BASE), rank=2)
    assert "lora_making.uneven" in {note.key for note in done.plan.notes}


def test_what_is_not_finite_is_refused() -> None:
    broken = tuned(2)
    broken[LAYER] = broken[LAYER].clone()
    broken[LAYER][0, 0] = torch.nan
    with pytest.raises(NumericError):
        extracted(sd1_model(broken), sd1_model(BASE))


def test_threads_change_no_bit_and_leave_torch_as_it_was() -> None:
    before = torch.get_num_threads()
    one, three = (extracted(sd1_model(tuned(3)), sd1_model(BASE), rank=2, threads=threads)
                  for threads in (1, 3))  # fmt: skip
    assert one.report == three.report
    for first, second in zip(one.plan.outputs, three.plan.outputs, strict=True):
        assert first.name == second.name
        assert first.inputs[0].read() == second.inputs[0].read()
    assert torch.get_num_threads() == before


def test_it_can_be_cancelled() -> None:
    cancel = Event()
    cancel.set()
    job = prepare(sd1_model(tuned(2)), sd1_model(BASE), ExtractOptions())
    with pytest.raises(Interrupted):
        extract(job, cancel=cancel)


@pytest.mark.parametrize(
    "options", [{"rank": 0}, {"rank": 4, "dynamic": "ratio:2"}, {"dialect": "x"}, {"dtype": "fp8"},
                {"device": "nowhere"}, {"dialect": "diffusers", "full": True}],
)  # fmt: skip
def test_options_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        prepare(sd1_model(BASE), sd1_model(BASE), ExtractOptions(**options))  # type: ignore[arg-type]


def test_a_plan_at_the_highest_ranks_reads_nothing() -> None:
    job = prepare(sd1_model(tuned(2)), sd1_model(BASE), ExtractOptions(rank=2))
    most = {output.name: output.shape for output in job.most.outputs}
    done = {output.name: output.shape for output in extract(job).plan.outputs}
    assert done.items() < most.items()  # layers that do not differ are not there
    assert job.memory > sum(output.nbytes for output in job.most.outputs)
