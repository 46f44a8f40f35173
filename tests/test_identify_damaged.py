"""What a damaged, disguised or unknown file is taken for: never for another with certainty."""

from __future__ import annotations

import random

import pytest

from kanna.families import title
from kanna.identify import identify
from kanna.identify.gaps import gaps
from kanna.identity import Identity, said
from kanna.model import ModelFile
from model_headers import headers, keys, known, model_of

ALL = list(headers())
# Names that real files have been seen under, and tensors that ride along in them.
PREFIXES = [
    "model.diffusion_model.", "diffusion_model.", "model.", "model.model.", "net.", "core.", "unet.",
    "transformer.", "dit.", "module.", "_orig_mod.", "vae.", "first_stage_model.", "text_encoder.",
]  # fmt: skip
RIDERS: dict[str, tuple[int, ...]] = {
    "spiece_model": (4096,), "tokenizer_json": (9000,), "betas": (1000,), "alphas_cumprod": (1000,),
    "loss.logvar": (), "some.stranger.weight": (3, 5), "epoch": (), "v_pred_notes": (2,),
}  # fmt: skip


def wrong(found: Identity, name: str) -> list[str]:
    """What `found` says that is not so of the header called `name`."""
    header, whole = headers()[name], known(name)
    said = []
    if found.kind not in {header.kind, "unknown"}:
        said.append(found.kind)
    if found.architecture_candidates and header.architecture not in found.architecture_candidates:
        said += found.architecture_candidates
    if found.variant_candidates and not {*whole.variant_candidates} <= {*found.variant_candidates}:
        said += found.variant_candidates
    return said


def damaged(name: str, share: float, seed: int) -> ModelFile:
    chance = random.Random(f"{name} {share} {seed}")
    header = headers()[name]
    return header.model([n for n in header.tensors if chance.random() < share])


@pytest.mark.parametrize(
    ("name", "share"), [*((name, 0.9) for name in ALL[::2]), *((name, 0.5) for name in ALL[1::4])]
)
def test_with_tensors_missing_nothing_wrong_is_certain(name: str, share: float) -> None:
    found = identify(damaged(name, share, 1))
    assert found.certainty != "certain" or not wrong(found, name)


@pytest.mark.parametrize(
    ("name", "lost", "words"),
    [
        ("sd15-inpaint-fp16", "input_blocks.0.0.weight", {"inpaint", "instruct-pix2pix", "base"}),
        ("sd15-fp16-pruned", "input_blocks.0.0.weight", {"inpaint", "instruct-pix2pix", "base"}),
        ("sd15-fp16-pruned", "input_blocks.0.0.bias", {"base"}),
        ("sdxl-inpaint-unet-diffusers-f16", "conv_in.weight", {"inpaint", "base"}),
    ],
)
def test_where_the_tensor_that_tells_is_lost_the_variants_stay_open(
    name: str, lost: str, words: set[str]
) -> None:
    header = headers()[name]
    found = identify(header.model([n for n in header.tensors if not n.endswith(lost)]))
    assert found.certainty == "likely"
    assert words <= {*found.variant_candidates}
    assert len(words) > 1 or {*found.variant_candidates} == words


def disguises() -> list[tuple[str, str]]:
    """A sample of the files, each under one of the prefixes; together they use all of them."""
    free = [n for n in ALL if headers()[n].kind not in {"embedding", "lora"}]
    return [(name, PREFIXES[at % len(PREFIXES)]) for at, name in enumerate(free[::2])]


@pytest.mark.parametrize(("name", "prefix"), disguises())
def test_wild_prefixes_riders_and_another_order_change_nothing(name: str, prefix: str) -> None:
    chance = random.Random(name)
    names = list(headers()[name].tensors)
    chance.shuffle(names)
    model = headers()[name].model(names, prefix)
    there, here = known(name), identify(model_of({**RIDERS, **model}, metadata=model.metadata))
    assert (here.kind, here.architecture) == (there.kind, there.architecture)
    assert here.architecture_candidates == there.architecture_candidates
    assert here.variant_candidates == there.variant_candidates


@pytest.mark.parametrize("name", ["flux1-dev-bf16", "qwen-image-bf16", "te-t5xxl-fp16"])
def test_one_shard_of_several_is_likely_at_most(name: str) -> None:
    header = headers()[name]
    whole = known(name)
    path = "diffusion_pytorch_model-00001-of-00003.safetensors"
    shard = identify(model_of(header.model(list(header.tensors)[: len(header.tensors) // 2]),
                              path=path))  # fmt: skip
    assert whole.certainty == "certain"
    assert shard.certainty in {"likely", "unknown"}
    assert not wrong(shard, name)
    named = identify(model_of(dict(header.model()), path=path))
    assert (named.certainty, "shard" in keys(named)) == ("likely", True)


def test_a_hole_in_a_list_that_no_other_tensor_shares_is_a_gap() -> None:
    whole = [f"blocks.{n}.{w}" for n in range(9) for w in ("qkv.weight", "qkv.bias", "norm.weight")]
    assert gaps(whole) == 0
    assert gaps([n for n in whole if n != "blocks.4.qkv.bias"]) == 1
    assert gaps([n for n in whole if not n.startswith("blocks.8.qkv")]) == 0
    assert gaps([n for n in whole if not n.startswith("blocks.4.qkv")]) == 0


@pytest.mark.parametrize("name", ALL)
def test_no_whole_file_seems_to_lack_anything(name: str) -> None:
    assert "gaps" not in keys(known(name))


@pytest.mark.parametrize("odd", ["", "1", "1.2.3.4.5.6.7.8.9", "99999999999.weight", "a." * 9_000])
def test_no_name_is_too_odd_for_gaps(odd: str) -> None:
    assert gaps([odd, f"x.{odd}", f"x.1.{odd}"]) == 0


INVENTED = [h.name for h in headers().values() if h.kind in {"diffusion_model", "text_encoder"}][
    ::2
]


@pytest.mark.parametrize("name", INVENTED)
def test_a_model_of_unheard_of_widths_is_unknown_and_what_it_looks_like_is_told(name: str) -> None:
    header = headers()[name]
    wider = {n: tuple(3 * size for size in t.shape) for n, t in header.tensors.items()}
    found = identify(model_of(wider))
    assert (found.kind, found.certainty, found.architecture_candidates) == (
        "unknown",
        "unknown",
        (),
    )
    assert found.junk == ()
    alike = [said(note) for note in found.evidence if note.key == "identity.alike"]
    assert title(header.architecture) in " ".join(alike)
