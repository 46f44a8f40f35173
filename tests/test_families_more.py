"""The families of video models, of the smaller image models, and the distilled Stable Diffusions."""

from __future__ import annotations

import random
from math import prod

import pytest

from kanna.families import Component, component, family, row_called, tables, title
from kanna.families.keys import ShapeRule, expand, parse_line
from kanna.families.pages import about, pages
from kanna.identify import identify
from kanna.identity import Identity
from model_headers import headers, keys, known, model_of

Shapes = dict[str, tuple[int, ...]]

FAMILIES = [
    "anima", "cogvideox", "cogview", "cosmos", "cosmos-predict2", "ernie-image", "hunyuan-image",
    "hunyuan-video", "hunyuandit", "ideogram", "joyimage", "krea2", "lens", "ltx2", "ltxv",
    "mage-flow", "mochi", "pixart", "stable-cascade", "svd", "wan",
]  # fmt: skip
DISTILLED = {
    "bk-sdm-base", "bk-sdm-small", "bk-sdm-tiny", "sdxs-512", "sdxs-512-0.9", "ssd-1b", "vega",
    "koala-1b", "koala-700m",
}  # fmt: skip
HEADERS = [name for name, header in headers().items() if header.architecture in FAMILIES]
UMT5 = ("vae", "umt5-xxl")
# PixArt and CogView take two, by variant; no header of the last is known.
UNSEEN_VAES = {None, "mage-flow"}
HUNYUAN = ("vae", "llava-llama-3-8b", "clip-l")


def every_row() -> list[Component]:
    return [component(number) for number in range(len(tables()["components"]))]


def vae_words() -> set[str | None]:
    """Every architecture that a VAE can be of."""
    rows = [row for row in every_row() if row.role == "vae"]
    judged = {w for row in rows for choice in row.architecture_choices for w in choice.names}
    return {*judged, *(word for row in rows for word in (row.architecture, *row.architectures))}


ROWS = [
    row.id
    for row in every_row()
    if row.role == "diffusion_model"
    and (row.family in FAMILIES or DISTILLED & set(row.variants) or row.id == "kolors-unet-ldm")
]
LISTED = [name for name in ROWS if row_called(name).required]


def shape_of(rule: ShapeRule | None) -> tuple[int, ...]:
    """A shape that follows `rule`: the first of the sizes it allows."""
    return tuple(size if isinstance(size, int) else (size or [7])[0] for size in rule or ())


def shapes_of_row(name: str) -> Shapes:
    """All that the key list of row `name` asks for."""
    return {n: shape_of(rule) for n, rule in row_called(name).required.items()}


def anchors_of(name: str) -> Shapes:
    """Every tensor on which row `name` is recognised."""
    raw = next(row for row in tables()["components"] if row["id"] == name)
    lines = [parse_line(line) for line in (*raw.get("all", ()), *raw.get("any", ()))]
    return {n: shape_of(rule) for pattern, rule in lines for n in expand(pattern)}


def with_changes(name: str, changes: dict[str, tuple[int, ...]]) -> Identity:
    return identify(model_of({**shapes_of_row(name), **changes}))


@pytest.mark.parametrize(
    ("name", "architecture", "variants", "prediction", "needs"),
    [
        ("cosmos1-7b-t2w-bf16", "cosmos", ("1.0-7b",), "edm", ("vae", "t5-11b")),
        ("hunyuan-video-t2v-bf16", "hunyuan-video", ("t2v",), "flow", HUNYUAN),
        ("hunyuan-video-t2v-orig-bf16", "hunyuan-video", ("t2v",), "flow", HUNYUAN),
        ("hunyuandit-v10-dit", "hunyuandit", ("v1.0", "v1.1"), "v", ("vae", "hunyuandit-clip", "mt5-xl")),
        ("ltxv-2b-bf16-dit", "ltxv", ("2b",), "flow", ("vae", "t5xxl")),
        ("pixart-alpha-1024-ms", "pixart", ("alpha",), "epsilon", ("vae", "t5xxl")),
        ("stable-cascade-b-bf16", "stable-cascade", ("b",), "epsilon", ("vae", "clip-g")),
        ("stable-cascade-c-bf16", "stable-cascade", ("c",), "epsilon", ("clip-g",)),
        ("stable-cascade-c-comfyui", "stable-cascade", ("c",), "epsilon", ()),
        ("stable-cascade-c-lite-bf16", "stable-cascade", ("c-lite",), "epsilon", ("clip-g",)),
        ("wan21-t2v-1.3b-fp16", "wan", ("2.1-t2v-1.3b",), "flow", UMT5),
        ("wan21-t2v-14b-fp16", "wan", ("2.1-t2v-14b", "2.2-t2v-14b"), "flow", UMT5),
        ("wan22-t2v-14b-fp8-scaled", "wan", ("2.1-t2v-14b", "2.2-t2v-14b"), "flow", UMT5),
        ("wan22-t2v-high-noise-14b-fp16", "wan", ("2.1-t2v-14b", "2.2-t2v-14b"), "flow", UMT5),
    ],
)  # fmt: skip
def test_every_real_file_is_known_whole_with_what_it_lacks(
    name: str,
    architecture: str,
    variants: tuple[str, ...],
    prediction: str,
    needs: tuple[str, ...],
) -> None:
    identity = known(name)
    assert (identity.architecture, identity.certainty) == (architecture, "certain")
    assert identity.variant_candidates == variants
    assert (identity.prediction.type if identity.prediction else None) == prediction
    assert identity.missing_parts == needs
    assert identity.unrecognised == ()
    for part in identity.parts:
        assert (part.complete, part.missing, part.unexpected) == (True, (), ()), part.component


def test_every_real_file_of_these_families_is_in_the_test_above() -> None:
    assert len(HEADERS) == 14


@pytest.mark.parametrize("name", HEADERS)
def test_a_tenth_of_a_real_file_missing_is_told_by_name(name: str) -> None:
    chance = random.Random(name)
    kept = [n for n in headers()[name].tensors if chance.random() < 0.9]
    identity = identify(headers()[name].model(kept))
    assert (identity.architecture, identity.certainty) == (headers()[name].architecture, "likely")
    missing = {n for part in identity.parts for n in part.missing}
    assert missing
    assert missing <= headers()[name].tensors.keys() - set(kept)


@pytest.mark.parametrize("share", [0.9, 0.5])
@pytest.mark.parametrize("row", LISTED)
def test_a_damaged_model_is_among_the_candidates_or_unknown_and_never_certain(
    row: str, share: float
) -> None:
    chance = random.Random(f"{row} {share}")
    shapes = {n: s for n, s in shapes_of_row(row).items() if chance.random() < share}
    identity = identify(model_of(shapes))
    candidates = identity.architecture_candidates
    assert not candidates or row_called(row).architecture in candidates
    assert identity.certainty != "certain"


@pytest.mark.parametrize("row", [name for name in ROWS if name not in LISTED])
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "wild."])
def test_a_row_without_a_list_is_recognised_by_its_anchors(row: str, prefix: str) -> None:
    shapes = {prefix + name: shape for name, shape in anchors_of(row).items()}
    identity = identify(model_of(shapes))
    assert [part.component for part in identity.parts] == [row]
    assert identity.architecture == row_called(row).architecture


@pytest.mark.parametrize("row", [name for name in ROWS if name not in LISTED])
def test_no_row_without_a_list_hangs_on_one_tensor(row: str) -> None:
    shapes = anchors_of(row)
    raw = next(raw for raw in tables()["components"] if raw["id"] == row)
    fixed = {n for line in raw.get("all", ()) for n in expand(parse_line(line)[0])}
    assert len(shapes) - len(fixed) >= 2 or row == "kolors-unet-ldm"
    for lost in shapes.keys() - fixed:
        left = {name: shape for name, shape in shapes.items() if name != lost}
        if left:
            assert identify(model_of(left)).architecture == row_called(row).architecture


# What else a file has, or other shapes, and the variant that this makes it.
@pytest.mark.parametrize(
    ("row", "changes", "variants"),
    [
        ("pixart-original", {"y_embedder.y_embedding": (300, 4096)}, ("sigma",)),
        ("pixart-original", {"y_embedder.y_embedding": (120, 4096)}, ("alpha-256", "alpha-512")),
        ("pixart-original", {"y_embedder.y_embedding": (120, 4096), "pos_embed": (1, 1024, 1152)}, ("alpha-512",)),
        ("pixart-diffusers", {}, ("sigma", "alpha-512", "alpha-256")),
        ("pixart-diffusers", {"adaln_single.emb.aspect_ratio_embedder.linear_1.weight": (384, 256)}, ("alpha",)),
        ("hunyuan-dit", {"extra_embedder.0.weight": (5632, 1024)}, ("v1.2",)),
        ("hunyuan-image21-diffusers", {}, ("2.1",)),
        ("hunyuan-image21-diffusers", {"time_guidance_embed.timestep_embedder_r.linear_1.weight": (3584, 256)}, ("2.1-distilled",)),
        ("cosmos1-7b", {"x_embedder.proj.1.weight": (4096, 72)}, ("1.0-7b-video2world",)),
        ("cosmos1-14b-diffusers", {}, ("1.0-14b",)),
        ("cosmos-predict2-2b", {}, ("2b",)),
        ("cosmos-predict2-14b-diffusers", {"patch_embed.proj.weight": (5120, 72)}, ("14b-video2world",)),
        ("hunyuan-video", {"img_in.proj.weight": (3072, 33, 1, 2, 2)}, ("i2v",)),
        ("hunyuan-video", {"img_in.proj.weight": (3072, 32, 1, 2, 2)}, ("skyreels",)),
        ("hunyuan-video-diffusers", {"clean_x_embedder.proj.weight": (3072, 16, 1, 2, 2)}, ("framepack",)),
        ("hunyuan-video15-diffusers", {}, ("1.5",)),
        ("hunyuan-video15-diffusers", {"x_embedder.proj.weight": (2048, 98, 1, 1, 1)}, ("1.5-sr",)),
        ("ltxv-13b", {}, ("13b",)),
        ("cogview4-diffusers", {}, ("4",)),
        ("cogview3-plus-diffusers", {}, ("3-plus",)),
        ("cogvideox-5b", {}, ("5b",)),
        ("cogvideox-5b", {"patch_embed.proj.weight": (3072, 32, 2, 2)}, ("5b-i2v",)),
        ("cogvideox-1.5-5b", {"ofs_embedding.linear_1.weight": (512, 512)}, ("1.5-5b-i2v",)),
        ("svd-unet-ldm", {}, ("svd", "svd-xt", "svd-xt-1.1")),
        ("svd-unet-ldm", {"label_emb.0.0.weight": (1280, 256)}, ("sv3d-u",)),
        ("svd-unet-diffusers", {"add_embedding.linear_1.weight": (1280, 1280)}, ("sv3d-p",)),
        ("wan-14b", {"patch_embedding.weight": (5120, 36, 1, 2, 2)}, ("2.2-i2v-14b",)),
        ("wan-14b-image", {"patch_embedding.weight": (5120, 36, 1, 2, 2)}, ("2.1-i2v-14b",)),
        ("wan-14b-image", {"patch_embedding.weight": (5120, 36, 1, 2, 2), "img_emb.emb_pos": (1, 514, 1280)}, ("2.1-flf2v-14b",)),
        ("wan-14b-image-diffusers", {"patch_embedding.weight": (5120, 36, 1, 2, 2)}, ("2.1-i2v-14b",)),
        ("wan-14b-image", {"control_adapter.conv.weight": (5120, 1536, 2, 2)}, ("2.1-fun-camera",)),
        ("wan-14b", {"control_adapter.conv.weight": (5120, 1536, 2, 2)}, ("2.2-fun-camera",)),
        ("wan-5b", {"patch_embedding.weight": (3072, 48, 1, 2, 2)}, ("2.2-ti2v-5b",)),
        ("sd2-unet-ldm", {"label_emb.0.0.weight": (1280, 4)}, ("lotus-d",)),
        ("sd1-unet-ldm", {"cond_stage_model.roberta.embeddings.word_embeddings.weight": (250002, 1024)}, ("alt-diffusion",)),
        ("sdxl-unet-diffusers", {"time_embedding.cond_proj.weight": (320, 256)}, ("lcm",)),
    ],
)  # fmt: skip
def test_a_shape_or_a_tensor_tells_the_variant(
    row: str, changes: dict[str, tuple[int, ...]], variants: tuple[str, ...]
) -> None:
    identity = with_changes(row, changes)
    assert identity.architecture == row_called(row).architecture
    assert identity.variant_candidates == variants


def test_the_twin_of_a_header_is_named() -> None:
    assert "same_header" in keys(known("hunyuan-video-t2v-bf16"))
    assert "shared_header" in keys(known("wan21-t2v-14b-fp16"))


# Billions as counted on diffusers' own modules or published by the makers (BK-SDM: 0.58, 0.49, 0.33).
@pytest.mark.parametrize(
    ("row", "billions"),
    [
        ("wan-1.3b", 1.419), ("wan-14b", 14.288), ("wan-14b-image", 16.395), ("wan-5b-diffusers", 5.0),
        ("hunyuan-video-diffusers", 12.811), ("hunyuan-video15-diffusers", 8.327), ("ltxv-2b", 1.923),
        ("ltxv-13b-diffusers", 13.043), ("mochi-diffusers", 10.028), ("cogvideox-2b", 1.694),
        ("cogvideox-5b", 5.570), ("cogview4-diffusers", 6.369), ("cosmos1-14b", 14.267),
        ("cosmos-predict2-2b", 1.956), ("hunyuan-image21-diffusers", 17.426), ("krea2-diffusers", 12.82),
        ("ideogram4-diffusers", 9.279), ("pixart-diffusers", 0.6109), ("svd-unet-ldm", 1.5246),
        ("bk-sdm-base-unet-ldm", 0.5794), ("bk-sdm-small-unet-diffusers", 0.4823),
        ("bk-sdm-tiny-unet-ldm", 0.3234), ("ssd-1b-unet-diffusers", 1.3313), ("vega-unet-diffusers", 0.7452),
        ("koala-1b-unet-diffusers", 1.1612), ("koala-700m-unet-diffusers", 0.7828),
    ],
)  # fmt: skip
def test_a_key_list_has_as_many_parameters_as_the_model(row: str, billions: float) -> None:
    total = sum(prod(shape) for shape in shapes_of_row(row).values())
    assert total / 1e9 == pytest.approx(billions, rel=1e-3)


# The distilled models are the same numbers in both layouts, and the fused attention of Cascade too.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((f"{name}-unet-ldm", f"{name}-unet-diffusers") for name in sorted(DISTILLED - {"sdxs-512-0.9"})),
        ("sdxs-512-09-unet-ldm", "sdxs-512-09-unet-diffusers"), ("svd-unet-ldm", "svd-unet-diffusers"),
        ("cascade-c", "cascade-c-original"), ("cascade-b", "cascade-b-original"),
        ("cosmos-predict2-14b", "cosmos-predict2-14b-diffusers"),
    ],
)  # fmt: skip
def test_two_layouts_of_a_model_hold_as_many_numbers(one: str, other: str) -> None:
    first, second = (sum(map(prod, shapes_of_row(name).values())) for name in (one, other))
    assert first == second


@pytest.mark.parametrize("old", ["transformer_blocks.", "blocks."])
def test_cogvideox_is_complete_in_either_spelling(old: str) -> None:
    shapes = {
        n.replace("transformer_blocks.", old): s for n, s in shapes_of_row("cogvideox-5b").items()
    }
    identity = identify(model_of(shapes))
    assert [part.complete for part in identity.parts] == [True]


def test_a_checkpoint_of_stable_video_diffusion_is_whole() -> None:
    shapes = {f"model.diffusion_model.{n}": s for n, s in shapes_of_row("svd-unet-ldm").items()}
    vae = {n: shape_of(rule) for n, rule in row_called("vae-kl-f8-c4-ldm").required.items()}
    vae |= {
        f"decoder.up.{level}.block.{block}.time_stack.{layer}.weight": (128,)
        for level in range(4)
        for block in range(3)
        for layer in ("in_layers.0", "in_layers.2", "out_layers.0", "out_layers.3")
    }
    vae |= {f"decoder.mid.block_{n}.time_stack.in_layers.0.weight": (512,) for n in (1, 2)}
    vae |= {f"decoder.mid.block_{n}.{i}.time_stack.x": (1,) for n in (1, 2) for i in range(40)}
    shapes |= {f"first_stage_model.{n}": s for n, s in vae.items()}
    vision = row_called("clip-vision-h-openclip").required
    shapes |= {
        f"conditioner.embedders.0.open_clip.model.{n}": shape_of(rule) for n, rule in vision.items()
    }
    identity = identify(model_of(shapes))
    assert (identity.kind, identity.architecture) == ("checkpoint", "svd")
    assert identity.missing_parts == ()
    found = identity.part("vae")
    assert found is not None
    assert found.architecture == "svd"


@pytest.mark.parametrize("row", ["ltxv-13b", "ltx2"])
def test_the_vae_in_a_checkpoint_of_ltx_is_that_of_its_version(row: str) -> None:
    model = shapes_of_row(row) or anchors_of(row)
    shapes = {f"model.diffusion_model.{name}": shape for name, shape in model.items()}
    shapes |= {f"vae.{name}": shape for name, shape in anchors_of("vae-ltxv").items()}
    identity = identify(model_of(shapes))
    vae = identity.part("vae")
    assert vae is not None
    assert (identity.kind, vae.architecture) == ("checkpoint", identity.architecture)
    assert "vae" not in identity.missing_parts


def test_anima_is_known_under_every_prefix_it_circulates_with() -> None:
    for prefix in (
        "net.",
        "model.diffusion_model.",
        "diffusion_model.",
        "model.diffusion_model.net.",
        "",
    ):
        shapes = {prefix + name: shape for name, shape in shapes_of_row("anima").items()}
        identity = identify(model_of(shapes))
        assert (identity.architecture, identity.parts[0].complete) == ("anima", True)


def test_no_family_is_known_by_signature_only_any_more() -> None:
    words = {row.architecture for row in every_row() if row.role == "diffusion_model"}
    assert [word for word in words if word and family(word) is None] == []
    assert [word for word in words if word and title(word) == word] == []


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_family_needs_can_be_found_in_a_file(name: str) -> None:
    answers = {word for row in every_row() for word in (row.role, *row.variants, *(
        word for choice in row.variant_choices for word in choice.names))}  # fmt: skip
    own = family(name)
    assert own is not None
    words = {*own.needs, *(word for choice in own.variants for word in choice.needs)}
    assert words
    assert words <= answers
    assert own.vae in {*vae_words(), *UNSEEN_VAES}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_page_speaks_of_variants_that_the_family_has(name: str) -> None:
    page, own = about(name), family(name)
    assert page is not None
    assert own is not None
    words = {word for choice in own.variants for word in choice.names}
    for row in every_row():
        if row.family == name:
            words |= {*row.variants, *(w for c in row.variant_choices for w in c.names)}
    assert {facts.name for facts in page.variants} <= words
    assert page.maker
    assert all(page.summary.values())


def test_no_two_families_answer_to_one_name() -> None:
    seen: dict[str, str] = {}
    for name in pages():
        page = about(name)
        for word in {name, *(page.aliases if page else ())}:
            assert seen.setdefault(word, name) == name, word
