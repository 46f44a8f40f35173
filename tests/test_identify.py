from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from kanna.families import row_called, tables
from kanna.families.keys import ShapeRule
from kanna.identify import identify, recognise
from kanna.identity import Identity
from model_headers import Header, headers, keys, known, model_of

OURS = {"sd1", "sd2", "sdxl", "sdxl-refiner", "sd3", "flux", "auraflow", "sana", "clip", "t5"}
SD2_WORDS = ["2.0-base", "2.0-v", "2.1-base", "2.1-v"]
# Words in the corpus that describe the file's size or precision, not the model.
BASES = {
    "emaonly", "full-ema", "pruned-fp16", "pruned-fp16-novae", "pruned-fp16-with-schedule",
    "pruned-fp16-broken-posids",
}  # fmt: skip
SAME = {
    "dev-nf4": "dev", "dev-diffusers": "dev", "lcm-lora": "lora",
    "motion-sd15-v1-fp32": "animatediff-v1", "motion-sd15-v3-fp16": "animatediff-v3",
}  # fmt: skip
UNET = "model.diffusion_model."


def names(items: Iterable[Header]) -> list[str]:
    return [header.name for header in items]


ALL = names(headers().values())
MODELS = names(h for h in headers().values() if h.architecture in OURS)
FOREIGN = names(h for h in headers().values() if h.architecture not in OURS)
LISTED = names(
    h
    for h in headers().values()
    if h.architecture in OURS and h.kind in {"checkpoint", "diffusion_model", "text_encoder", "vae"}
)


def architectures(identity: Identity) -> set[str]:
    return set(identity.architecture_candidates)


@pytest.mark.parametrize("name", ALL)
def test_every_real_file_is_what_it_is(name: str) -> None:
    header, identity = headers()[name], known(name)
    assert identity.kind == header.kind
    assert header.architecture in architectures(identity)
    if identity.architecture is not None:
        assert identity.architecture == header.architecture
        word = (
            "base"
            if header.variant in BASES
            else SAME.get(name) or SAME.get(header.variant, header.variant)
        )
        if header.architecture == "sd2" and word in {"2.x", "2.1"}:
            assert list(identity.variant_candidates) == SD2_WORDS
        elif header.kind != "vae" or word != "vae":
            assert word in identity.variant_candidates
    assert identity.variant in {None, *identity.variant_candidates}


@pytest.mark.parametrize("name", LISTED)
def test_every_model_of_these_families_is_complete_and_has_nothing_unexpected(name: str) -> None:
    identity = known(name)
    assert identity.unrecognised == ()
    for part in identity.parts:
        if part.role != "controlnet":
            assert (part.complete, part.missing, part.unexpected) == (True, (), ()), part.component


@pytest.mark.parametrize("name", ALL)
def test_every_tensor_is_in_one_part_or_named_as_something_else(name: str) -> None:
    model, identity = headers()[name].tensors, known(name)
    places = [name for part in identity.parts for name in part.names]
    assert len(places) == len(set(places))
    beside = {n for group in identity.junk for n in group.names}
    beside |= {*identity.markers, *identity.unrecognised, *identity.ema.extra}
    beside |= set(identity.ema.pairs.values())
    assert model.keys() == {*places, *beside}
    assert sum(part.bytes for part in identity.parts) == sum(model[n].nbytes for n in places)


@pytest.mark.parametrize("name", ALL)
def test_no_prefix_and_no_order_changes_the_answer(name: str) -> None:
    chance = random.Random(name)
    prefix = chance.choice(["module.", "some.wild.prefix.", "模型."])
    if headers()[name].kind in {"embedding", "lora"}:
        prefix = ""  # their names start with what they are
    shuffled = list(headers()[name].tensors)
    chance.shuffle(shuffled)
    there, here = known(name), identify(headers()[name].model(shuffled, prefix))
    assert here.kind == there.kind
    assert here.architecture_candidates == there.architecture_candidates
    assert here.variant_candidates == there.variant_candidates
    assert all(part.prefix.startswith(prefix) for part in here.parts)


@pytest.mark.parametrize("name", MODELS)
def test_strangers_in_the_file_change_nothing_and_are_named(name: str) -> None:
    tensors = headers()[name].tensors
    odd = {"something.else": (3, 3), "my_notes": (1,), "v_pred_2": (0,)}
    there, here = known(name), identify(model_of({**tensors, **odd}))
    if len(tensors) <= 4:
        return
    assert here.kind == there.kind
    assert here.architecture_candidates == there.architecture_candidates
    assert set(odd) <= {*here.unrecognised, *(n for part in here.parts for n in part.names)}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("share", [0.9, 0.5])
def test_with_tensors_missing_it_is_the_same_or_unknown_but_never_another(
    name: str, share: float
) -> None:
    chance = random.Random(f"{name} {share}")
    kept = [n for n in headers()[name].tensors if chance.random() < share]
    there, here = known(name), identify(headers()[name].model(kept))
    assert not architectures(here) or architectures(here) & architectures(there)
    assert here.certainty != "certain" or all(part.complete is not False for part in here.parts[:1])


# A VAE's owner is open, and a packed weight is unreadable without the tensor that says how.
@pytest.mark.parametrize(
    "name", [n for n in LISTED if headers()[n].kind != "vae" and "nf4" not in n]
)
def test_a_tenth_missing_is_still_known_and_says_what_is_missing(name: str) -> None:
    chance = random.Random(name)
    kept = [n for n in headers()[name].tensors if chance.random() < 0.9]
    identity = identify(headers()[name].model(kept))
    assert identity.architecture == headers()[name].architecture
    assert identity.certainty == "likely"
    lost = headers()[name].tensors.keys() - set(kept)
    missing = {n for part in identity.parts for n in part.missing}
    assert missing <= lost


@pytest.mark.parametrize("name", FOREIGN)
def test_no_other_family_comes_out_as_one_of_these(name: str) -> None:
    assert not architectures(known(name)) & OURS


def test_an_invented_architecture_is_unknown_and_nothing_of_it_is_junk() -> None:
    shapes = {f"super_blocks.{n}.qkv.weight": (999, 333) for n in range(200)}
    identity = identify(model_of(shapes))
    assert (identity.kind, identity.architecture, identity.certainty) == (
        "unknown",
        None,
        "unknown",
    )
    assert identity.junk == ()
    assert set(identity.unrecognised) == set(shapes)


def test_what_an_unknown_file_resembles_is_told() -> None:
    unet = {n: t for n, t in headers()["sdxl-base-fp16"].model().items() if UNET in n}
    wrong = {n: (t.shape[0] + 1, *t.shape[1:]) for n, t in list(unet.items())[:400]}
    identity = identify(model_of({**unet, **wrong}))
    assert identity.kind == "unknown"
    assert "nearest" in keys(identity)


def test_half_of_one_model_and_half_of_another_is_ambiguous() -> None:
    one, other = headers()["sd15-fp16-pruned"].model(), headers()["sdxl-base-fp16"].model()
    mixed = {n: t for at, (n, t) in enumerate(other.items()) if at % 2 and n.startswith(UNET)}
    identity = identify(model_of({**one, **mixed}))
    assert identity.architecture is None
    assert identity.certainty == "ambiguous"
    assert "mixture" in keys(identity)


def test_two_models_of_one_rank_are_ambiguous_and_both_named() -> None:
    second = {f"second.{n}": t for n, t in headers()["sd3-medium-dit-only"].model().items()}
    identity = identify(model_of({**headers()["sd15-fp16-pruned"].model(), **second}))
    assert identity.certainty == "ambiguous"
    assert architectures(identity) == {"sd1", "sd3"}
    assert "several" in keys(identity)


def test_an_empty_file_is_unknown() -> None:
    identity = identify(model_of({}))
    assert (identity.kind, identity.certainty, identity.parts) == ("unknown", "unknown", ())


@pytest.mark.parametrize(
    "odd",
    [
        "",
        ".",
        "..",
        ".weight",
        "a" * 100_000,
        "a." * 50_000,
        "\x1b[31m\u202e",
        "model_ema.",
        "{0..9}",
    ],
)
def test_no_name_is_too_odd(odd: str) -> None:
    assert identify(model_of({odd: (2, 2), f"{odd}.lora_up.weight": (2, 2)})).kind == "lora"


def test_however_many_prefixes_a_row_has_few_are_compared_with_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []

    def counting(number: int, *rest: Any) -> recognise.Found:
        compared.append(number)
        return verify(number, *rest)

    verify = recognise.verify
    monkeypatch.setattr(recognise, "verify", counting)
    anchor = "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
    identity = identify(model_of({f"p{n}.{anchor}": (640, 768) for n in range(2_000)}))
    assert identity.kind == "unknown"
    assert compared
    assert max(Counter(compared).values()) == recognise._MAX_PREFIXES


def shape_of(rule: ShapeRule | None) -> tuple[int, ...]:
    """A shape that follows `rule`: the first of the sizes it allows."""
    return tuple(size if isinstance(size, int) else (size or [7])[0] for size in rule or ())


@pytest.mark.parametrize("row", [row["id"] for row in tables()["components"] if "keys" in row])
def test_every_key_list_is_recognised_as_itself(row: str) -> None:
    wanted = row_called(row)
    shapes = {f"any.{name}": shape_of(rule) for name, rule in wanted.required.items()}
    identity = identify(model_of(shapes))
    assert [part.component for part in identity.parts] == [row]
    assert identity.parts[0].complete
    assert set(wanted.variants) <= set(identity.parts[0].variant_candidates)
