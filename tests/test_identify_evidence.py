from __future__ import annotations

import struct

import pytest

from kanna.dtypes import WORDS
from kanna.errors import FormatError
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import TensorInfo
from model_headers import Bytes, headers, keys, known, model_of

UNET = "model.diffusion_model."
SD2_WORDS = ["2.0-base", "2.0-v", "2.1-base", "2.1-v"]


def test_metadata_settles_what_the_tensors_leave_open() -> None:
    said = {"modelspec.architecture": "stable-diffusion-xl-v1-base"}
    identity = identify(model_of(headers()["vae-sdxl"].model(), metadata=said))
    assert (identity.architecture, identity.certainty) == ("sdxl", "certain")
    assert "metadata_settles" in keys(identity)


def test_metadata_that_contradicts_the_tensors_is_told_and_not_believed() -> None:
    said = {"modelspec.architecture": "stable-diffusion-xl-v1-base"}
    identity = identify(model_of(headers()["sd15-fp16-pruned"].model(), metadata=said))
    assert identity.architecture == "sd1"
    assert "metadata_differs" in keys(identity)


def test_canny_and_depth_are_told_apart_by_metadata_only() -> None:
    model = headers()["flux1-canny-dev-bf16"].model()
    assert identify(model).variant == "canny"
    assert identify(model_of(dict(model))).variant_candidates == ("canny", "depth")


def sd2_with(bias: tuple[float, ...], dtype: str = "fp32") -> Identity:
    model = headers()["sd20-768v-fp32"].model()
    name = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
    code = {"fp32": "f", "fp16": "e"}.get(dtype, "f")
    data = struct.pack(f"<320{code}", *bias)
    if dtype == "bf16":
        data = b"".join(data[at + 2 : at + 4] for at in range(0, len(data), 4))
    tensor = TensorInfo(name, WORDS[dtype], (320,), Bytes(data))
    return identify(model_of({**model, name: tensor}))


@pytest.mark.parametrize("dtype", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize(
    ("spread", "prediction", "variants"),
    [(0.2, "v", ("2.0-v", "2.1-v")), (0.03, "epsilon", ("2.0-base", "2.1-base"))],
)
def test_a_vectors_spread_tells_sd2_v_from_epsilon(
    spread: float, prediction: str, variants: tuple[str, ...], dtype: str
) -> None:
    identity = sd2_with((spread, -spread) * 160, dtype)
    assert identity.prediction is not None
    assert (identity.prediction.type, identity.prediction.certainty) == (prediction, "likely")
    assert identity.variant_candidates == variants
    assert "peek_deviation" in keys(identity)


def test_zeros_are_no_evidence() -> None:
    identity = sd2_with((0.0,) * 320)
    assert identity.prediction is None
    assert list(identity.variant_candidates) == SD2_WORDS


@pytest.mark.parametrize(
    ("name", "prediction", "certainty"),
    [
        ("sd15-fp16-pruned", "epsilon", "likely"), ("sdxl-vpred-ztsnr-fp16", "v", "certain"),
        ("flux1-dev-bf16", "flow", "certain"), ("sd20-depth-fp32", "epsilon", "likely"),
        ("sd-x4-upscaler-fp32", "v", "likely"),
    ],
)  # fmt: skip
def test_what_the_model_predicts_is_said_with_certainty(
    name: str, prediction: str, certainty: str
) -> None:
    said = known(name).prediction
    assert said is not None
    assert (said.type, said.certainty) == (prediction, certainty)


def test_metadata_says_what_the_model_predicts_where_no_marker_does() -> None:
    model = headers()["sdxl-base-fp32"].model()
    identity = identify(model_of(model, metadata={"modelspec.prediction_type": "v_prediction"}))
    assert identity.prediction is not None
    assert (identity.prediction.type, identity.prediction.certainty) == ("v", "likely")


class Refusing(Bytes):
    def read_into(self, start: int, out: memoryview) -> None:
        del out
        raise FormatError("disk.ends_early", path="x", offset=start)


def test_only_the_tensors_that_the_tables_name_are_read() -> None:
    model = headers()["sd15-fp16-pruned"].model()
    shut = {
        n: t if n.endswith("position_ids") else TensorInfo(n, t.dtype, t.shape, Refusing())
        for n, t in model.items()
    }
    assert identify(model_of(shut)).architecture == "sd1"


def test_a_named_tensor_that_the_file_does_not_hold_is_an_error() -> None:
    model = headers()["sd15-fp16-pruned"].model()
    shut = {n: TensorInfo(n, t.dtype, t.shape, Refusing()) for n, t in model.items()}
    with pytest.raises(FormatError):
        identify(model_of(shut))
