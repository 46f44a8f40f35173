"""Each rule that needs no weights: found where it is so, and not where it is not."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from judged import (
    cast,
    changed,
    clean_checkpoint,
    codes,
    codes_of,
    mended,
    merged_checkpoint,
    only,
    subject,
)
from kanna.dtypes import BF16, FP8_E4M3, FP16, FP32
from kanna.errors import UsageError
from kanna.findings import Subject, check, command_for
from kanna.findings.facts import KnownVae
from kanna.identity import said
from kanna.model import ModelFile, Note, TensorInfo
from model_headers import Bytes, headers, known
from models import IDS, UNET, VAE, ids, model_of, weight

FIRST = f"{UNET}input_blocks.0.0.weight"


def sdxl() -> ModelFile:
    return replace(headers()["sdxl-base-fp16"].model(), path=Path("xl.safetensors"))


def test_missing_and_misshapen_tensors() -> None:
    clean = clean_checkpoint()
    broken = changed(
        clean, {FIRST: weight(FIRST, 320, 5, 3, 3, dtype=FP16)}, without=[f"{UNET}out.2.weight"]
    )
    findings = check(subject(broken))
    assert only("KN201", findings).names == (f"{UNET}out.2.weight",)
    assert only("KN202", findings).names == (FIRST,)


def test_a_whole_ema_takes_the_place_of_a_model_that_is_not_whole() -> None:
    model = changed(merged_checkpoint(), {}, without=[FIRST])
    findings = check(subject(model, "generation"))
    repair = only("KN301", findings).repair
    assert repair is not None
    assert repair.options == {"ema": "use"}
    assert only("KN201", findings).repair == repair
    assert "KN303" not in codes(findings)
    assert codes_of(mended(model, "generation"), "generation") == []


def test_an_incomplete_ema() -> None:
    gone = "model_ema.diffusion_modelout2weight"
    model = changed(merged_checkpoint(), {}, without=[gone])
    found = only("KN302", check(subject(model)))
    assert found.names == (f"{UNET}out.2.weight",)
    assert "KN302" not in codes_of(mended(model))


@pytest.mark.parametrize("key", ["sd_merge_recipe", "sd_merge_models", "modelspec.merged_from"])
def test_a_merge_recipe_makes_the_ema_stale(key: str) -> None:
    right = {IDS: ids(range(77))}
    model = changed(clean_checkpoint(), right)
    full = changed(
        model, {n: t for n, t in merged_checkpoint().items() if n.startswith("model_ema.")}
    )
    assert "KN303" not in codes_of(full)
    assert "KN303" in codes_of(changed(full, {}, metadata={key: "{}"}))


def test_stray_ema_tensors_are_told_and_kept() -> None:
    model = changed(
        merged_checkpoint(), {"model_ema.of_another": weight("model_ema.of_another", 4)}
    )
    found = only("KN306", check(subject(model)))
    assert found.repair is None
    assert found.names == ("model_ema.of_another",)


def test_position_ids_that_are_right_and_no_integers() -> None:
    model = changed(clean_checkpoint(), {IDS: ids(range(77), FP32)})
    assert "KN204" in codes_of(model)
    assert "KN203" not in codes_of(model)
    assert codes_of(mended(model)) == []


def test_no_position_ids_matters_to_who_hands_the_file_out() -> None:
    model = changed(clean_checkpoint(), {}, without=[IDS])
    assert "KN205" in codes_of(model, "distribution")
    assert codes_of(model, "generation") == []


def test_missing_parts() -> None:
    clean = clean_checkpoint()
    model = changed(clean, {}, without=[name for name in clean if name.startswith(VAE)])
    found = only("KN207", check(subject(model, "generation")))
    assert "vae" in said(found.note)
    assert found.command[:2] == ("kanna", "convert")


def test_parts_that_are_usually_apart_are_only_noted() -> None:
    (found,) = check(subject(headers()["sd35-medium"].model(), "generation"), select=["KN207"])
    assert found.severity == "note"


def test_real_files_are_not_accused() -> None:
    """What their makers meant so: an fp32 VAE beside bf16, one fp32 tensor of ids, an upscaler."""
    assert "KN405" not in codes_of(headers()["sd15-fp16-posids-f32"].model(), "generation")
    assert "KN403" not in codes_of(headers()["flux1-dev-bf16-aio"].model(), "generation")
    assert "KN701" not in codes_of(headers()["sd-x4-upscaler-fp32"].model(), "generation")


def test_unknown_files_and_unrecognised_tensors() -> None:
    assert codes_of(
        model_of([weight("a", 4, 4)], path="a.safetensors", container="safetensors")
    ) == ["KN210"]
    model = changed(clean_checkpoint(), {"what.is.this": weight("what.is.this", 4, 4)})
    assert "KN208" in codes_of(model, "distribution")
    assert codes_of(model) == []


def test_a_changed_noise_schedule_is_no_junk() -> None:
    changed_schedule = struct.pack("<1000f", *([0.5] * 1000))
    name = "alphas_cumprod"
    model = changed(
        clean_checkpoint(), {name: TensorInfo(name, FP32, (1000,), Bytes(changed_schedule))}
    )
    assert "KN401" not in codes_of(model, "generation")


def test_mixed_precision_is_evened() -> None:
    model = changed(clean_checkpoint(), {FIRST: weight(FIRST, 320, 4, 3, 3, dtype=FP32)})
    found = only("KN405", check(subject(model, "generation")))
    assert found.names == (FIRST,)
    assert found.bytes == 320 * 4 * 9 * 2
    assert codes_of(mended(model, "generation"), "generation") == []


def test_norms_in_fp32_are_no_mixture() -> None:
    name = f"{UNET}out.0.weight"
    assert codes_of(changed(clean_checkpoint(), {name: weight(name, 320)}), "generation") == []


def test_half_precision_is_little_for_training() -> None:
    assert "KN404" in codes_of(clean_checkpoint(), "training")
    assert "KN404" not in codes_of(clean_checkpoint(), "generation")


def test_fp8_in_a_vae_and_in_norms() -> None:
    model = cast(clean_checkpoint(), VAE, FP8_E4M3)
    assert "KN406" in codes_of(model)
    model = cast(clean_checkpoint(), f"{UNET}out.0", FP8_E4M3)
    assert "KN407" in codes_of(model, "generation")


def test_the_vae_of_sdxl_stays_wide_and_overflows_in_fp16() -> None:
    half = sdxl()
    assert "KN408" in codes_of(half, "generation")
    fixed = KnownVae(name="sdxl-vae-fp16-fix", architecture="sdxl", state="fp16-fix")
    assert "KN408" not in codes_of(half, "generation", vae=fixed)
    wide = cast(half, "first_stage_model.", FP32)
    assert not {"KN403", "KN408"} & set(codes_of(wide, "generation"))


def test_models_that_want_bf16_get_bf16() -> None:
    name = next(
        n for n, h in headers().items() if (h.kind, h.architecture) == ("diffusion_model", "flux")
    )
    model = headers()[name].model()
    found = only("KN403", check(subject(cast(model, "", FP32), "generation")))
    assert found.repair is not None
    assert found.repair.options["dtypes"] == {"diffusion_model": "bf16"}
    assert "KN403" not in codes_of(cast(model, "", BF16), "generation")


def test_a_known_vae_of_another_model_and_an_average() -> None:
    stranger = KnownVae(name="sdxl_vae", architecture="sdxl")
    assert only("KN603", check(subject(clean_checkpoint(), vae=stranger))).severity == "error"
    assert codes_of(clean_checkpoint(), vae=KnownVae(name="x", architecture="sd1")) == []
    average = KnownVae(name="mse840000_klf8anime", architecture="sd1", state="averaged")
    assert codes_of(clean_checkpoint(), vae=average) == ["KN602"]


V_YAML = {"model": {"params": {"parameterization": "v"}}}


def test_v_prediction_that_only_metadata_or_a_config_tells() -> None:
    model = changed(sdxl(), {}, metadata={"modelspec.prediction_type": "v"})
    assert {"KN701", "KN702"} <= set(codes_of(model))
    assert "KN701" in codes_of(sdxl(), config=V_YAML)
    assert "KN702" not in codes_of(sdxl(), config=V_YAML)
    assert not {"KN701", "KN702"} & set(codes_of(sdxl()))


def test_the_markers_are_put_in() -> None:
    model = changed(
        sdxl(), {}, metadata={"modelspec.prediction_type": "v", "ss_zero_terminal_snr": "True"}
    )
    found = only("KN701", check(subject(model)))
    assert found.names == ("v_pred", "ztsnr")
    after = mended(model)
    assert {"v_pred", "ztsnr"} <= set(after)
    assert "KN701" not in codes_of(after)


def test_a_config_that_contradicts_the_file() -> None:
    marked = changed(sdxl(), {"v_pred": TensorInfo("v_pred", FP32, (0,), weight("x", 0).data)})
    epsilon: dict[str, object] = {"model": {"params": {"denoiser_config": {"params": {}}}}}
    found = only("KN703", check(subject(marked, config=epsilon)))
    assert "parameterization" in said(found.note)
    wrong = {"model": {"params": {"unet_config": {"params": {"context_dim": 1024}}}}}
    assert "KN703" in codes_of(clean_checkpoint(), config=wrong)
    right = {"model": {"params": {"unet_config": {"params": {"context_dim": 768}}}}}
    assert codes_of(clean_checkpoint(), config=right) == []
    broken = Note("strict_yaml.invalid", {"path": "x.yaml", "reason": "tag"})
    assert codes_of(clean_checkpoint(), config_trouble=broken) == ["KN703"]


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("modelspec.architecture", "stable-diffusion-xl-v1-base", "KN802"),
        ("dtype", "float32", "KN804"),
        ("modelspec.resolution", "big", "KN805"),
    ],
)
def test_metadata_that_lies_is_left_out(key: str, value: str, code: str) -> None:
    model = changed(clean_checkpoint(), {}, metadata={key: value})
    assert codes_of(model) == [code]
    after = mended(model)
    assert key not in after.metadata
    assert codes_of(after) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("modelspec.architecture", "stable-diffusion-v1"),
        ("dtype", "fp16"),
        ("modelspec.resolution", "512x512"),
        ("modelspec.title", "Mine"),
        ("ss_mixed_precision", "bf16"),
    ],
)
def test_metadata_that_is_true_stays(key: str, value: str) -> None:
    assert codes_of(changed(clean_checkpoint(), {}, metadata={key: value})) == []


def test_a_prediction_that_the_marker_contradicts() -> None:
    fields = {"modelspec.prediction_type": "epsilon"}
    marked = {"v_pred": TensorInfo("v_pred", FP32, (0,), weight("x", 0).data)}
    model = changed(sdxl(), marked, metadata=fields)
    assert "KN803" in codes_of(model)
    assert "KN803" not in codes_of(mended(model))


def test_the_title_of_a_parent() -> None:
    parents = '{"ab": {"name": "AnyThing.safetensors"}}'
    fields = {"sd_merge_models": parents, "modelspec.title": "AnyThing"}
    assert "KN806" in codes_of(changed(clean_checkpoint(), {}, metadata=fields))
    fields["modelspec.title"] = "Something else"
    assert codes_of(changed(clean_checkpoint(), {}, metadata=fields)) == []
    fields["sd_merge_models"] = "[" * 100_000
    assert codes_of(changed(clean_checkpoint(), {}, metadata=fields)) == []


def test_what_a_published_file_says_of_itself() -> None:
    fields = {f"modelspec.{word}": "x" for word in ("title", "author", "license")}
    assert codes_of(changed(clean_checkpoint(), {}, metadata=fields), "distribution") == []
    del fields["modelspec.license"]
    (found,) = check(subject(changed(clean_checkpoint(), {}, metadata=fields), "distribution"))
    assert found.severity == "note"
    assert "modelspec.license" in said(found.note)


def test_a_cached_digest_proves_a_false_hash() -> None:
    fields = {"modelspec.hash_sha256": "0x" + "ab" * 32}
    model = changed(clean_checkpoint(), {}, metadata=fields)
    assert codes_of(model) == []
    assert codes_of(model, data_sha256="ab" * 32) == []
    assert codes_of(model, data_sha256="cd" * 32) == ["KN801"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("絵.safetensors", "KN811"),
        ("a b.safetensors", "KN812"),
        ("con.safetensors", "KN813"),
        ("a:b.safetensors", "KN813"),
        ("x" * 240 + ".safetensors", "KN814"),
        ("thing-inpainting.safetensors", "KN815"),
        ("thing.vae.safetensors", "KN815"),
        ("thing-fp32.safetensors", "KN817"),
        ("bf16_thing.safetensors", "KN817"),
    ],
)
def test_names_that_break_tools(name: str, code: str) -> None:
    findings = check(subject(clean_checkpoint(name)))
    assert codes(findings) == [code]
    words = findings[0].command
    output = words[words.index("-o") + 1]
    assert codes_of(clean_checkpoint(output)) == []


@pytest.mark.parametrize(
    "name",
    [
        "model.v1.5.safetensors",
        "model-fp16.safetensors",
        "confetti.safetensors",
        "sdxl_fp32_fix.safetensors",
    ],
)
def test_names_that_are_good(name: str) -> None:
    assert codes_of(clean_checkpoint(name)) == []


def test_a_suffix_that_promises_something_else() -> None:
    note = Note("formats.other_name", {"suffix": ".ckpt", "content": "safetensors"})
    model = replace(clean_checkpoint("a.ckpt"), notes=(note,))
    assert codes_of(model) == ["KN816"]


def test_remarks_on_the_container() -> None:
    shard = Note("formats.lone_shard", {"part": 1, "total": 3})
    odd = Note("checkpoint.trailing_bytes", {"count": 3})
    quiet = Note("checkpoint.extra_tensors", {"key": "a", "count": 1, "nbytes": 4}, warning=False)
    model = replace(clean_checkpoint("m-00001-of-00003.safetensors"), notes=(shard, odd, quiet))
    findings = check(subject(model, siblings=frozenset({"m.safetensors.index.json"})))
    assert {"KN104", "KN105"} <= set(codes(findings))
    assert only("KN104", findings).command[2] == "m.safetensors.index.json"


def test_rules_are_chosen_by_code_and_by_its_beginning() -> None:
    one = subject(merged_checkpoint("a b.ckpt"), "generation")
    assert codes(check(one, select=["KN2"])) == ["KN203", "KN206"]
    assert codes(check(one, select=["kn2,KN301"])) == ["KN203", "KN206", "KN301"]
    assert codes(check(one, select=["KN2"], ignore=["KN203"])) == ["KN206"]
    for nonsense in ("KN999", "2", "", "KX"):
        with pytest.raises(UsageError):
            check(one, select=[nonsense])


def test_every_real_header_can_be_judged_for_every_purpose() -> None:
    for name, header in headers().items():
        model = header.model()
        one = Subject(path=model.path, model=model, identity=known(name))
        for purpose in (None, "generation", "training", "distribution"):
            for finding in check(replace(one, purpose=purpose)):
                assert said(finding.note)


def test_a_hypernetwork_stays_in_its_pickle() -> None:
    whole = headers()["hypernetwork-a1111-1024"].model()
    model = replace(whole, path=Path("a b.pt"), container="ckpt-zip")
    findings = check(subject(model, "generation"))
    assert only("KN101", findings).severity == "note"
    assert only("KN812", findings).repair is None
    assert not any(finding.command for finding in findings)


@pytest.mark.parametrize("container", ["gguf", "diffusers"])
def test_what_kanna_does_not_write_is_not_mended(container: str) -> None:
    model = replace(merged_checkpoint("a b.gguf"), container=container)
    assert all(finding.repair is None for finding in check(subject(model, "generation")))


def test_a_shard_is_not_mended_alone_and_an_index_gives_its_plain_name() -> None:
    shard = Note("formats.lone_shard", {"part": 1, "total": 2})
    findings = check(subject(replace(merged_checkpoint(), notes=(shard,))))
    assert "KN104" in codes(findings)
    assert all(finding.repair is None for finding in findings)
    index = Path("in/model.safetensors.index.fp16.json")
    command = command_for(subject(merged_checkpoint(), path=index))
    assert command[:5] == (
        "kanna",
        "fix",
        str(index),
        "-o",
        str(Path("in/model-fixed.safetensors")),
    )
