"""The configs beside models, held against the tensors of real ones."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kanna.families.configs import (
    Config,
    config_for,
    differences,
    marker_names,
    markers_for,
    predicted_by,
    predictions,
)
from kanna.families.pages import page_tables
from model_headers import headers, known

ROWS = page_tables()["configs"]["config"]
WITH_CONFIG = [
    "sd1-nai-fp32-ckpt", "sd15-fp16-pruned", "sd15-inpaint-fp16", "sd15-ip2p-fp16",
    "sd20-base-512-fp32", "sd20-768v-fp32", "sd20-depth-fp32", "sd21-unclip-h-fp32",
    "sd-x4-upscaler-fp32", "sdxl-base-fp16", "sdxl-inpaint-fp16", "sdxl-refiner-fp16",
    "sdxl-vpred-ztsnr-fp16",
]  # fmt: skip


def config_of(name: str) -> Config:
    identity = known(name)
    assert identity.architecture is not None
    words = predictions(identity.architecture, identity.variant_candidates)
    word = identity.prediction.type if identity.prediction else words[0]
    found = config_for(identity.architecture, identity.variant_candidates, word)
    assert found is not None
    return found


def network(config: Config) -> dict[str, Any]:
    params = config.document["model"]["params"]
    found: dict[str, Any] = (params.get("unet_config") or params["network_config"])["params"]
    return found


@pytest.mark.parametrize("name", WITH_CONFIG)
def test_a_config_says_of_the_unet_what_its_tensors_say(name: str) -> None:
    shapes = {key: tensor.shape for key, tensor in headers()[name].tensors.items()}
    unet, said = "model.diffusion_model.", network(config_of(name))
    width, channels = shapes[f"{unet}input_blocks.0.0.weight"][:2]
    assert (said["model_channels"], said["in_channels"]) == (width, channels)
    context = next(s[1] for key, s in shapes.items() if key.endswith("attn2.to_k.weight"))
    contexts = said["context_dim"]
    assert context in (contexts if isinstance(contexts, list) else [contexts])
    label = shapes.get(f"{unet}label_emb.0.0.weight")
    assert said.get("adm_in_channels") == (label[1] if label else None)
    projection = next(s for key, s in shapes.items() if key.endswith(".1.proj_in.weight"))
    assert said.get("use_linear_in_transformer", False) is (len(projection) == 2)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("sd15-inpaint-fp16", "v1-inpainting-inference.yaml"),
        ("sd20-depth-fp32", "v2-midas-inference.yaml"),
        ("sd21-unclip-h-fp32", "v2-1-stable-unclip-h-inference.yaml"),
        ("sdxl-vpred-ztsnr-fp16", "sd_xl_v.yaml"),
        ("sdxl-refiner-fp16", "sd_xl_refiner.yaml"),
    ],
)
def test_a_real_model_gets_its_config(name: str, file: str) -> None:
    assert config_of(name).file == file


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_config_predicts_what_its_row_says(row: dict[str, Any]) -> None:
    found = config_for(row["architecture"], row.get("variants", ()), row["prediction"])
    assert found is not None
    if row["prediction"] in {"epsilon", "v"}:
        assert predicted_by(found.document) == row["prediction"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_config_differs_from_all_others_of_its_architecture_and_not_from_itself(
    row: dict[str, Any],
) -> None:
    found = config_for(row["architecture"], row.get("variants", ()), row["prediction"])
    assert found is not None
    assert differences(found.document, found.document) == ()
    for other in ROWS:
        if other is not row and other["architecture"] == row["architecture"]:
            theirs = config_for(other["architecture"], other["variants"], other["prediction"])
            assert theirs is not None
            assert differences(theirs.document, found.document), other["file"]


def test_forges_two_lines_are_enough_to_say_v() -> None:
    two = yaml.safe_load("model:\n  params:\n    parameterization: v\n")
    wanted = config_for("sd1", ["base"], "v")
    assert wanted is not None
    assert predicted_by(two) == "v"
    assert differences(two, wanted.document) == ()
    assert differences({}, wanted.document) == ("model.params.parameterization",)


@pytest.mark.parametrize("nothing", [None, [], "text", 7, {"model": None}, {"model": []}])
def test_what_is_no_config_predicts_epsilon(nothing: object) -> None:
    assert predicted_by(nothing) == "epsilon"


def test_markers_are_those_that_pruning_keeps() -> None:
    assert markers_for("sdxl", "v", zero_snr=True) == ("v_pred", "ztsnr")
    assert markers_for("sdxl", "v", zero_snr=False) == ("v_pred",)
    assert markers_for("sdxl", "epsilon", zero_snr=True) == ()
    assert markers_for("flux", "flow", zero_snr=True) == ()
    header = headers()["sdxl-vpred-ztsnr-fp16"]
    assert set(marker_names()) <= header.tensors.keys()
