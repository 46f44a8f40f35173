"""A file in pieces: every tensor in exactly one of them, whatever the file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.identify import identify
from kanna.model import ModelFile
from kanna.ops.parts import Pieces, pieces
from model_headers import headers, known, model_of

STRANGE = ["v_pred", "ztsnr", "spiece_model", "betas", "stranger.weight", "model_ema.decay"]


def assert_partition(apart: Pieces) -> None:
    names = [name for piece in apart.pieces for name in (*piece.names.values(), *piece.beside)]
    assert sorted([*names, *apart.leftovers]) == sorted(apart.model)
    for piece in apart.pieces:
        assert list(piece.tensors) == list(piece.names)
        for relative, full in piece.names.items():
            assert piece.tensors[relative] is apart.model[full]


@pytest.mark.parametrize("name", headers())
def test_pieces_and_leftovers_hold_every_tensor_once(name: str) -> None:
    assert_partition(pieces(headers()[name].model(), known(name)))


@settings(max_examples=30)
@given(
    st.sampled_from(["sd1-nai-fp32-ckpt", "sdxl-vpred-ztsnr-fp16", "flux1-dev-fp8-aio"]),
    st.lists(st.sampled_from(STRANGE), unique=True),
    st.integers(1, 40),
)
def test_so_they_do_in_damaged_files(name: str, more: list[str], step: int) -> None:
    model = headers()[name].model()
    kept = {n: t for at, (n, t) in enumerate(model.items()) if at % step or step == 1}
    damaged = model_of({**kept, **dict.fromkeys(more, (1,))})
    assert_partition(pieces(damaged, identify(damaged)))


def of(name: str) -> Pieces:
    return pieces(headers()[name].model(), known(name))


def test_the_averaged_copy_has_the_names_of_the_model() -> None:
    apart = of("sd15-full-ema-fp32")
    ema, model = apart.of("ema"), apart.of("diffusion_model")
    assert ema is not None
    assert model is not None
    assert ema.tensors.keys() == model.tensors.keys()
    full = "model_ema.diffusion_modelinput_blocks00weight"
    assert ema.names["input_blocks.0.0.weight"] == full
    assert {"model_ema.decay", "betas"} <= apart.leftovers.keys()


def test_markers_go_with_the_model_that_they_speak_of() -> None:
    unet = of("sdxl-vpred-ztsnr-fp16").of("diffusion_model")
    assert unet is not None
    assert list(unet.beside) == ["v_pred", "ztsnr"]


def test_a_tokenizer_goes_with_its_text_encoder() -> None:
    model = with_tokenizer("text_encoders.spiece_model")
    apart = pieces(model, identify(model))
    t5 = apart.of("t5xxl")
    assert t5 is not None
    assert list(t5.beside) == ["text_encoders.spiece_model"]
    assert [piece.word for piece in apart.pieces if piece.beside] == ["t5xxl"]


def with_tokenizer(name: str) -> ModelFile:
    return model_of({**headers()["flux1-dev-fp8-aio"].model(), name: (9,)})
