"""The pages of families: what they say is whole, and agrees with the files themselves."""

from __future__ import annotations

import re

import pytest

from kanna.families import component, family, tables, vocabulary
from kanna.families.architectures import architectures_of, by_age, kinds
from kanna.families.dossier import all_needs, dossier, facts_of
from kanna.families.needs import needed_by
from kanna.families.pages import About, about, pages
from kanna.families.places import UIS, all_places, folders, kind_words, places
from kanna.families.traits import Trait, traits
from kanna.families.words import dialects, meanings, plain, spellings
from model_headers import headers, known

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
# Kinds that no program has a folder for.
HOMELESS = {"safety_checker", "training_state", "unknown"}
MODELS = [name for name, roles in kinds().items() if "diffusion_model" in roles]
OURS = ["sd1", "sd2", "sdxl", "sdxl-refiner", "sd3", "flux", "auraflow", "sana"]


def page_of(name: str) -> About:
    page = about(name)
    assert page is not None, name
    return page


@pytest.mark.parametrize("name", [*tables()["families"], *MODELS])
def test_every_part_that_a_family_or_a_variant_needs_has_a_place(name: str) -> None:
    own = family(name)
    vae = own.vae if own else None
    words = set(own.needs if own else ())
    words |= {word for row in traits(name) for word in row.needs}
    assert [w for w in words - {"vae"} if not places(w)] == []
    if vae:
        assert [place.role for place in places("vae", vae)] == ["vae"]


def test_a_place_is_told_apart_by_word_and_architecture_and_says_what_it_is() -> None:
    assert len({(place.word, place.architecture) for place in all_places()}) == len(all_places())
    for place in all_places():
        assert place.role in vocabulary()["role"]
        assert (place.architecture is None) == (place.word != "vae")
        assert place.files or place.repository or place.note or place.architecture, place.title
        assert place.repository is None or place.repository.count("/") == 1


def test_every_kind_has_a_folder_or_is_known_to_have_none() -> None:
    assert set(kind_words()) == vocabulary()["kind"]
    assert {kind for kind in kind_words() if not folders(kind)} == HOMELESS
    assert set(folders("lora")) == set(UIS)
    assert folders("text_encoder") == {
        "comfyui": "models/text_encoders", "forge": "models/text_encoder",
        "invokeai": "Model Manager",
    }  # fmt: skip


@pytest.mark.parametrize("name", pages())
def test_a_page_speaks_both_languages_and_its_numbers_make_sense(name: str) -> None:
    page = page_of(name)
    assert not JAPANESE.search(page.summary["en"])
    assert JAPANESE.search(page.summary["ja"])
    for facts in (page.facts, *page.variants):
        assert facts.note is None or JAPANESE.search(facts.note["ja"])
        assert facts.released is None or re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", facts.released)
        assert facts.repository is None or facts.repository.count("/") == 1
        assert all(pair is None or pair[0] <= pair[1] for pair in (facts.steps, facts.guidance))
        assert facts.licence or not facts.licence_read


@pytest.mark.parametrize("name", pages())
def test_facts_of_variants_are_about_variants_that_the_family_has(name: str) -> None:
    words = [facts.name for facts in page_of(name).variants]
    assert len(words) == len(set(words))
    assert set(words) <= {word for row in traits(name) for word in row.words}


@pytest.mark.parametrize("name", OURS)
def test_the_oldest_families_are_told_whole(name: str) -> None:
    found = dossier(name)
    facts = found.facts
    counts = [facts.parameters, *(own.parameters for own in found.variant_facts)]
    assert all((found.maker, facts.released, facts.repository, facts.licence, any(counts)))
    assert all((facts.distilled, facts.steps, facts.guidance, found.latent_channels))
    assert all((found.vae, found.vae_scale, found.spatial_factor, found.predictions, found.tasks))
    assert {row.distilled for row in found.variant_facts} <= {None, "steps", "size", "guidance"}


# Read off the published files, without their position tables where makers do not count those.
@pytest.mark.parametrize(
    ("header", "name", "variant"),
    [
        ("sd15-fp16-pruned", "sd1", "base"), ("sd21-fp16-pruned", "sd2", "2.1-v"),
        ("sdxl-base-fp16", "sdxl", "base"), ("sdxl-refiner-fp16", "sdxl-refiner", None),
        ("flux1-dev-bf16", "flux", "dev"), ("flux1-schnell-bf16", "flux", "schnell"),
        ("auraflow-v02-dit", "auraflow", "v0.2"), ("sana-600m-orig-fp32", "sana", "600m"),
        ("sd35-large", "sd3", "3.5-large"), ("sd35-medium", "sd3", "3.5-medium"),
        ("sd3-medium", "sd3", "medium"),
    ],
)  # fmt: skip
def test_the_parameters_are_those_of_the_published_file(
    header: str, name: str, variant: str | None
) -> None:
    tensors, part = headers()[header].tensors, known(header).part("diffusion_model")
    assert part is not None
    table = sum(tensors[n].numel for n in part.names if n.endswith("pos_embed") and name == "sd3")
    told = facts_of(about(name), variant).parameters
    assert told == pytest.approx((part.parameters - table) / 1e9, rel=0.01)


def test_a_page_shows_the_variants_that_recognition_can_answer() -> None:
    seen = 0
    for name in list(headers())[::2]:
        identity = known(name)
        if not identity.part("diffusion_model") or identity.architecture not in OURS:
            continue
        words = set(identity.variant_candidates)
        rows = [set(row.words) for row in traits(identity.architecture)]
        assert not words or any(words <= row for row in rows), (name, words)
        seen += 1
    assert seen > 25


@pytest.mark.parametrize("name", MODELS)
def test_key_lists_are_counted_as_they_expand(name: str) -> None:
    expanded = {
        len(component(number).required)
        for number, raw in enumerate(tables()["components"])
        if raw["role"] == "diffusion_model" and name in architectures_of(raw)
    }
    assert {row.tensors for row in traits(name)} - {None} <= expanded


def row_of(name: str, word: str) -> Trait:
    return next(row for row in traits(name) if word in row.words)


def test_a_trait_says_how_the_header_tells_or_that_it_does_not() -> None:
    assert row_of("flux", "fill").any == (
        "img_in.weight [3072,384]", "x_embedder.weight [3072,384]",
    )  # fmt: skip
    assert row_of("flux", "canny").words == ("canny", "depth")
    assert row_of("flux", "kontext").other_header
    assert row_of("flux", "kontext").metadata == (("modelspec.architecture", "flux.1-kontext"),)
    assert row_of("sdxl", "v-pred").all == ("v_pred",)
    assert (row_of("sd3", "3.5-medium").tensors, row_of("sd3", "medium").tensors) == (665, 491)
    assert row_of("sd1", "nai").layout == "nai"


def test_a_variant_published_elsewhere_has_no_licence_but_its_own() -> None:
    page = page_of("sdxl")
    assert facts_of(page, "koala-1b").licence is None
    assert facts_of(page, "v-pred").licence == page.facts.licence
    assert facts_of(page, "turbo").steps == (1, 4)
    assert facts_of(page, "turbo").flow_shift is None
    assert facts_of(None, "x", 512).resolution == 512


def test_vaes_of_the_same_shapes_fit_only_where_their_scale_is_the_same() -> None:
    assert (dossier("sd1").vae_fits, dossier("sd1").vae_clashes) == (("sd2",), ("sdxl",))
    assert (dossier("flux").vae_fits, dossier("flux").vae_clashes) == ((), ("sd3",))
    assert dossier("auraflow").vae == "sdxl"
    assert dossier("sana").vae_twins == ()


def test_families_that_share_a_part_are_named() -> None:
    needs = {need.word: need.shared_with for need in dossier("sd3").needs}
    assert list(needs) == ["vae", "clip-l", "clip-g", "t5xxl"]
    assert {"flux", "pixart"} <= set(needs["t5xxl"])
    assert "sd3" not in needs["t5xxl"]
    assert needs["vae"] == ()
    (chatglm,) = places("chatglm3-6b")
    assert "sdxl" in needed_by(chatglm)
    assert "chatglm3-6b" in all_needs(dossier("sdxl"))
    assert [need.word for need in dossier("sdxl", "kolors").needs] == ["vae", "chatglm3-6b"]


def test_families_stand_in_the_order_of_their_age() -> None:
    assert by_age(["flux", "sdxl", "esrgan", "sd1"]) == ["sd1", "sdxl", "flux", "esrgan"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("sdxl", [("family", "sdxl", None)]),
        ("SD3.5", [("family", "sd3", None)]),
        ("Stable Diffusion XL", [("family", "sdxl", None)]),
        ("ＳＤＸＬ", [("family", "sdxl", None)]),
        ("kontext", [("variant", "flux", "kontext")]),
        ("flux1 schnell", [("variant", "flux", "schnell")]),
        ("sd3.5 large turbo", [("variant", "sd3", "3.5-large-turbo")]),
        ("sd2.1-v", [("variant", "sd2", "2.1-v")]),
        ("t5xxl", [("part", "t5xxl", None)]),
        ("CLIP_L", [("part", "clip-l", None)]),
        ("ae.safetensors", [("part", "vae", "flux")]),
        ("sdxl vae", [("part", "vae", "sdxl")]),
        ("vae", [("kind", "vae", None)]),
        ("LoRA", [("kind", "lora", None)]),
        ("loha", [("kind", "lora", "loha")]),
        ("swinir", [("kind", "upscaler", None)]),
        ("taesd", [("kind", "vae", None)]),
        ("textual inversion", [("kind", "embedding", None)]),
        ("sd1.6", []),
        ("", []),
        ("…", []),
    ],
)
def test_a_word_means_what_people_mean_by_it(
    text: str, meant: list[tuple[str, str, str | None]]
) -> None:
    assert [(m.subject, m.name, m.detail) for m in meanings(text)] == meant


def test_a_word_can_mean_several_things() -> None:
    assert {m.name for m in meanings("base")} >= {"sd1", "sdxl"}
    assert {m.name for m in meanings("t5")} >= {"t5xxl", "umt5-xxl", "pile-t5-xl"}


def test_every_name_that_a_report_prints_can_be_explained() -> None:
    for name in MODELS:
        assert any(m.name == name for m in meanings(name)), name
        for row in traits(name):
            words = [word for word in row.words if plain(word) != plain(name)]
            assert all(any(m.detail == w for m in meanings(f"{name} {w}")) for w in words)
    assert all(meanings(kind) for kind in (*vocabulary()["kind"], *kinds()))
    assert all(plain(spelling) for spelling in spellings().values())


def test_only_adapters_come_in_forms() -> None:
    assert {"lora", "loha", "dora"} <= set(dialects("lora"))
    assert dialects("vae") == dialects("upscaler") == ()


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("sd35-large", ("clip-l", "clip-g", "t5xxl")),
        ("sd35-large-dit-bare", ("vae", "clip-l", "clip-g", "t5xxl")),
        ("sd35-medium", ("clip-l", "clip-g", "t5xxl")),
        ("sd35-large-fp8-e4m3-incl-clips-t5", ()),
        ("sd3-medium-incl-clips", ("t5xxl",)),
    ],
)
def test_stable_diffusion_3_misses_what_its_files_lack(
    header: str, missing: tuple[str, ...]
) -> None:
    assert known(header).missing_parts == missing


def test_pages_stay_out_of_the_tables_that_inspect_loads() -> None:
    assert not [name for name, raw in tables()["families"].items() if "about" in raw]
    assert "places" not in tables()["families"]
