"""What hashes tell of a file's identity: its own, and those of its parts."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from kanna import api
from kanna.cli.report import report
from kanna.demo import component_tensors, write_pieces
from kanna.dtypes import FP16, FP32, DType
from kanna.families.key_maps import key_map
from kanna.formats.layout import Spec, arrange
from kanna.hashing import known
from kanna.hashing.cache import HashCache
from kanna.hashing.place import cache_path, existing_cache
from kanna.identify import identify
from kanna.identity import Identity, Published
from model_headers import headers, keys

MSE = "735e4c3a447a3255760d7f86845f09f937809baa529c17370d83e4c3758f3c75"


def known_as(name: str, published: Published) -> Identity:
    return identify(headers()[name].model(), published=published)


def test_the_own_hash_tells_kontext_from_dev() -> None:
    published = Published(
        name="flux1-kontext-dev.safetensors", architecture="flux", variant="kontext"
    )
    found = known_as("flux1-dev-bf16", published)
    assert (found.architecture, found.variant) == ("flux", "kontext")
    assert "published" in keys(found)


def test_the_own_hash_is_heard_before_the_metadata() -> None:
    header = headers()["flux1-dev-bf16"].model()
    said = replace(header, metadata={"modelspec.architecture": "flux.1-krea-dev"})
    assert identify(said).variant == "krea"
    published = Published(name="x", architecture="flux", variant="kontext")
    assert identify(said, published=published).variant == "kontext"


def test_the_own_hash_settles_what_sd_2_predicts() -> None:
    assert known_as("sd2-unet-diffusers-f32", Published(name="x")).variant is None
    for variant, prediction in (("2.1-v", "v"), ("2.0-base", "epsilon")):
        published = Published(name="x", architecture="sd2", variant=variant)
        found = known_as("sd2-unet-diffusers-f32", published)
        assert found.variant == variant
        assert found.prediction is not None
        assert found.prediction.type == prediction


def test_the_own_hash_tells_whose_vae_it_is() -> None:
    assert identify(headers()["vae-sdxl"].model()).architecture is None
    found = known_as("vae-sdxl", Published(name="sdxl_vae.safetensors", architecture="sdxl"))
    assert (found.architecture, found.certainty) == ("sdxl", "certain")
    assert found.parts[0].architecture == "sdxl"


def test_a_list_that_contradicts_the_tensors_is_told_and_not_followed() -> None:
    found = known_as("sd15-fp16-pruned", Published(name="x", architecture="sdxl", variant="base"))
    assert found.architecture == "sd1"
    assert "published_differs" in keys(found)


def test_a_variant_that_the_header_tells_is_not_changed() -> None:
    published = Published(name="x", architecture="sd1", variant="base")
    assert known_as("sd15-inpaint-fp16", published).variant == "inpaint"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    return tmp_path


def zeros(path: Path, specs: list[Spec], **metadata: str) -> Path:
    """A VAE of true names and shapes, all holes: a digest of it tells names and dtypes apart."""
    layout = arrange("safetensors", specs, metadata=metadata, digest_fields={}, extras={})
    write_pieces(path, layout.size, layout.blocks("", ()))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def vae_specs(prefix: str = "", dtype: DType = FP32) -> list[Spec]:
    tensors = component_tensors(prefix, "vae-kl-f8-c4-ldm", seed=0)
    return [(tensor.name, dtype, tensor.shape) for tensor in tensors]


def diffusers_specs() -> list[Spec]:
    specs = vae_specs()
    ldm = [name for name, *_ in specs]
    names = key_map("vae-kl", ldm, source="ldm", target="diffusers")
    return [
        (names[name], FP16, shape[:2] if ".attn_1." in name and len(shape) == 4 else shape)
        for name, _, shape in reversed(specs)
    ]


def test_a_known_vae_is_recognised_under_other_names_in_another_precision(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = zeros(own / "mine.safetensors", vae_specs())
    other = zeros(own / "other.safetensors", diffusers_specs())
    (alone,) = api.hash_files([plain], api.HashOptions(parts=True))
    assert alone.parts is not None
    assert [match.same for match in alone.parts] == [()]
    (hashed,) = api.hash_files([other], api.HashOptions(parts=True))
    assert hashed.parts is not None
    assert [hit.name for match in hashed.parts for hit in match.same] == [str(plain)]
    assert api.inspect(other).identity.vae_identity is None

    # Let the table know the first one under the name of a famous VAE.
    assert alone.digests is not None
    assert alone.digests.sha256 is not None
    lines = tuple(line.replace(MSE, alone.digests.sha256) for line in known._lines())
    monkeypatch.setattr(known, "_lines", lambda: lines)
    found = api.inspect(other).identity
    assert found.vae_identity == "vae-ft-mse-840000-ema-pruned"
    assert found.to_json()["vae"] == {"present": True, "identity": "vae-ft-mse-840000-ema-pruned"}
    hits = api.which(other).hits
    assert [(hit.meaning, hit.name) for hit in hits] == [
        ("component", "vae-ft-mse-840000-ema-pruned.safetensors")
    ]
    own_name = api.inspect(plain).identity
    assert (own_name.vae_identity, own_name.architecture) == (found.vae_identity, "sd1")


def test_hashing_a_published_vae_teaches_its_content(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = zeros(own / "mine.safetensors", vae_specs("first_stage_model.", FP16))
    (hashed,) = api.hash_files([plain], api.HashOptions(cache=False))
    assert hashed.digests is not None
    assert hashed.digests.sha256 is not None
    lines = tuple(line.replace(MSE, hashed.digests.sha256) for line in known._lines())
    monkeypatch.setattr(known, "_lines", lambda: lines)
    list(api.hash_files([plain]))
    model = api.inspect(plain).model
    with HashCache(cache_path()) as cache:
        assert [part.role for part in cache.parts(model.files[0].fingerprint)] == ["vae"]


def test_inspect_says_the_hashes_that_are_known_and_reads_no_weights(
    own: Path,
) -> None:
    path = zeros(own / "m.safetensors", [("w", FP16, (4,))])
    assert api.inspect(path).identity.to_json()["hashes"] is None
    (hashed,) = api.hash_files([path])
    assert hashed.digests is not None
    assert api.inspect(path).identity.to_json()["hashes"] == hashed.digests.to_json()
    os.utime(path, (1_600_000_001, 1_600_000_001))
    assert api.inspect(path).identity.to_json()["hashes"] is None


def test_what_another_program_kept_proves_nothing(own: Path) -> None:
    path = zeros(own / "m.safetensors", [("w", FP16, (4,))])
    cached = '{"hashes": {"checkpoint/m.safetensors": {"mtime": 1600000001, "sha256": "%s"}}}'
    (own / "cache.json").write_text(cached % MSE)
    taken = api.import_hashes(own / "cache.json", own)
    assert [one.fate for one in taken] == ["taken"]
    assert api.inspect(path).identity.hashes is None


def test_looking_for_the_cache_finds_what_writing_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KANNA_CACHE")
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    assert existing_cache() is None
    with HashCache(cache_path()) as cache:
        cache.files_with("sha256", "ab")
    assert existing_cache() == cache_path()
    assert cache_path().parent == user_cache_path("kanna", appauthor=False)


def test_inspect_shows_the_hashes(own: Path) -> None:
    path = zeros(own / "m.safetensors", [("w", FP16, (4,))])
    (hashed,) = api.hash_files([path])
    assert hashed.digests is not None
    assert f"AutoV2 {hashed.digests.autov2}" in "\n".join(report(api.inspect(path)))
