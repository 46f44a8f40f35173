"""How sure kind, architecture and variant are, each by itself."""

from __future__ import annotations

import dataclasses

import pytest

from kanna.identify import identify
from kanna.identity import Identity, Published
from model_headers import headers, known, model_of


def sure(identity: Identity) -> tuple[str, ...]:
    return dataclasses.astuple(identity.certainties)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sd15-inpaint-fp16", ("certain", "certain", "certain")),
        ("sd21-fp16-pruned", ("certain", "certain", "ambiguous")),  # base or 768-v
        ("vae-sdxl", ("certain", "ambiguous", "ambiguous")),
        ("lora-kohya-sd1-r128", ("certain", "certain", "certain")),
        ("qwen-image-bf16", ("certain", "certain", "ambiguous")),
    ],
)
def test_each_axis_has_its_own_certainty(name: str, words: tuple[str, ...]) -> None:
    identity = known(name)
    assert sure(identity) == words
    assert [*dict(identity.to_json()["certainties"]).values()] == [*words]  # type: ignore[call-overload]


def test_nothing_is_known_of_an_unknown_file() -> None:
    assert sure(identify(model_of({"a.b": (3, 3)}))) == ("unknown",) * 3


def test_an_adapter_that_fits_no_model_is_an_adapter_for_certain() -> None:
    shapes = {f"lora_unet_x_{n}.lora_{s}.weight": (4, 4) for n in range(9) for s in ("up", "down")}
    identity = identify(model_of(shapes))
    assert (identity.kind, identity.certainty) == ("lora", "likely")
    assert sure(identity)[:2] == ("certain", "unknown")


def test_an_incomplete_model_is_likely_in_everything() -> None:
    header = headers()["sd15-inpaint-fp16"]
    names = [n for n in header.tensors if not n.endswith("output_blocks.3.0.in_layers.0.weight")]
    assert sure(identify(header.model(names))) == ("likely", "likely", "likely")


def test_several_models_of_one_rank_leave_the_architecture_open() -> None:
    one, other = headers()["flux1-dev-bf16"].tensors, headers()["sd15-unet-diffusers-f16"].tensors
    both = {f"a.{n}": t.shape for n, t in one.items()} | {
        f"b.{n}": t.shape for n, t in other.items()
    }
    assert sure(identify(model_of(both))) == ("certain", "ambiguous", "unknown")


def test_the_own_hash_proves_what_metadata_only_says() -> None:
    tensors = headers()["flux1-dev-bf16"].tensors
    published = Published(name="flux1-kontext-dev", architecture="flux", variant="kontext")
    proved = identify(model_of(tensors), published=published)
    assert (proved.variant, sure(proved)[2]) == ("kontext", "certain")
    told = identify(model_of(tensors, metadata={"modelspec.architecture": "flux.1-kontext-dev"}))
    assert (told.variant, sure(told)[2]) == ("kontext", "likely")
