"""What a file is, said in ModelSpec's words: right where it is known, silent where it is not."""

from __future__ import annotations

import pytest

from kanna.metadata.filling import fill
from kanna.metadata.modelspec import read_spec
from kanna.metadata.tables import table
from model_headers import headers, known

DIGEST = "ab" * 32


def filled(header: str, digest: str | None = None) -> dict[str, str]:
    fields = fill(known(header), digest).fields
    return {key.removeprefix("modelspec."): value for key, value in fields.items()}


def of(kind: str, architecture: str, variant: str | None = None) -> list[str]:
    """The headers of such files."""
    return [
        name for name, header in headers().items()
        if (header.kind, header.architecture) == (kind, architecture)
        and (variant is None or known(name).variant == variant)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("architecture", "variant", "wanted"),
    [
        ("sd1", "base", ("stable-diffusion-v1", "512x512", "epsilon")),
        ("sd1", "inpaint", ("stable-diffusion-v1-inpainting", "512x512", "epsilon")),
        ("sdxl", "base", ("stable-diffusion-xl-v1-base", "1024x1024", "epsilon")),
        ("sdxl", "v-pred", ("stable-diffusion-xl-v1-base", "1024x1024", "v")),
        ("sdxl-refiner", "refiner", ("stable-diffusion-xl-v1-refiner", "1024x1024", "epsilon")),
        ("sd3", "3.5-medium", ("stable-diffusion-v3.5-medium", "1024x1024", None)),
        ("flux", "dev", ("Flux.1-dev", "1024x1024", None)),
    ],
)
def test_checkpoints_get_the_id_that_programs_know(
    architecture: str, variant: str, wanted: tuple[str, str, str | None]
) -> None:
    names = of("checkpoint", architecture, variant)
    assert names
    for name in names:
        said = filled(name)
        assert (said["architecture"], said["resolution"], said.get("prediction_type")) == wanted


def test_nothing_is_said_of_a_variant_that_the_header_leaves_open() -> None:
    for name in (*of("checkpoint", "sd2"), *of("diffusion_model", "sd2")):
        if known(name).variant is None:
            assert not {"architecture", "implementation", "resolution"} & filled(name).keys()
            notes = [note.key for note in fill(known(name)).notes]
            assert "meta.fill_no_architecture" in notes


def test_adapters_are_for_their_model_and_leave_out_what_is_the_models() -> None:
    lora = filled(of("lora", "sdxl")[0])
    assert lora["architecture"] == "stable-diffusion-xl-v1-base/lora"
    assert not {"resolution", "prediction_type", "unet_dtype"} & lora.keys()
    assert (
        filled(of("embedding", "sd1")[0])["architecture"] == "stable-diffusion-v1/textual-inversion"
    )
    assert "architecture" not in filled(of("lora", "sd2")[0])


def test_diffusers_files_are_of_diffusers_and_others_of_their_makers() -> None:
    layouts = {name: known(name).layout for name in of("diffusion_model", "sdxl")}
    for name, layout in layouts.items():
        made = filled(name).get("implementation")
        assert made is None or (made == "diffusers") == (layout == "diffusers")
    assert {"diffusers", "ldm"} <= set(layouts.values())


def test_the_digest_is_written_as_the_standard_wants_it_and_no_title_or_date_is_made_up() -> None:
    name = of("checkpoint", "sd1", "base")[0]
    assert filled(name, DIGEST)["hash_sha256"] == "0x" + DIGEST
    assert "hash_sha256" not in filled(name)
    for every in headers():
        assert not {"title", "date", "author", "license"} & filled(every).keys()


def test_dtypes_are_said_where_a_model_is_not_at_ease_in_fp16() -> None:
    assert filled(of("checkpoint", "flux")[0])["unet_dtype"] == "bf16, fp32"
    assert "unet_dtype" not in filled(of("checkpoint", "sdxl")[0])


def test_whatever_is_filled_in_has_its_form() -> None:
    for name in headers():
        assert not read_spec(fill(known(name), DIGEST).fields, known(name).kind).problems


def test_no_two_rows_of_the_table_claim_the_same_model() -> None:
    seen = set()
    for row in table("modelspec")["architecture"]:
        for variant in row["variants"]:
            key = (row["architecture"], variant, row.get("prediction"))
            assert key not in seen
            seen.add(key)
