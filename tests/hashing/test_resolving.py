"""From digits to models: the table, local files, every meaning, every trap."""

from __future__ import annotations

import hashlib
import os
import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers import safetensors_bytes
from kanna import api
from kanna.errors import UsageError
from kanna.families import family
from kanna.hashing.cache import HashCache
from kanna.hashing.known import known_file, known_models, known_weights, sources
from kanna.hashing.resolving import MEANINGS, digits_of, resolve
from kanna.identity import Identity

SD14 = "fe4efff1e174c627256e44ec2991ba279b3816e364b49f9be2abc0b3ff3f8556"


def names(text: str) -> list[str]:
    with HashCache(None) as cache:
        return [hit.name for hit in resolve(text, cache).hits]


def notes(text: str) -> set[str]:
    with HashCache(None) as cache:
        return {note.key for note in resolve(text, cache).notes}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    return tmp_path


def model(folder: Path, name: str, raw: bytes) -> Path:
    path = folder / name
    path.write_bytes(raw)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


@pytest.mark.parametrize("form", ["7460a6fa", "7460A6FA", "0x7460a6fa", "sd-v1-4.ckpt [7460a6fa]"])
def test_the_old_hash_of_sd_1_4(form: str) -> None:
    with HashCache(None) as cache:
        (hit,) = resolve(form, cache).hits
    assert (hit.meaning, hit.name) == ("autov1", "sd-v1-4.ckpt")
    assert hit.known is not None
    assert hit.known.sha256 == SD14


def test_the_short_hash_of_sd_1_5() -> None:
    assert names("6ce0161689") == ["v1-5-pruned-emaonly.safetensors"]
    assert names("6ce0161689b3853a") == ["v1-5-pruned-emaonly.safetensors"]


def test_a_collision_lists_all_with_a_warning() -> None:
    found = ["BloodNightOrangeMix.ckpt", "BloodOrangeMix.ckpt", "BloodOrangeMix_half.ckpt"]
    assert sorted(names("ffa7b160")) == found
    assert notes("ffa7b160") == {"which.several_autov1"}


def test_the_hash_of_nothing_is_no_model() -> None:
    for digits in ("e3b0c442", "e3b0c44298", hashlib.sha256().hexdigest(), "00000000"):
        assert "which.nothing" in notes(digits)
        assert not names(digits)


def test_the_name_hash_of_forge_is_named_as_such() -> None:
    fake = hashlib.sha256(b"sd-v1-4.ckpt").hexdigest()
    with HashCache(None) as cache:
        answer = resolve(fake[:10], cache)
    assert [hit.meaning for hit in answer.hits] == ["name_hash"]
    assert not answer.found
    assert {note.key for note in answer.notes} == {"which.name_hash"}


def test_a_vae_hash_comes_with_the_warning_about_them() -> None:
    assert "which.vae_hash" in notes("735e4c3a44")
    assert "which.vae_hash" not in notes("6ce0161689")


def test_few_known_digits_make_no_certain_match() -> None:
    whole = "47d8dbdc6da6e996" + "0" * 48
    with HashCache(None) as cache:
        (hit,) = resolve(whole, cache).hits
    assert not hit.exact
    assert "which.few_digits" in notes(whole)


@pytest.mark.parametrize(
    "row", [known_models()[n] for n in range(0, 1990, 97)], ids=lambda r: r.name
)
def test_every_digest_in_a_row_leads_to_it(row: api.Known) -> None:
    for digest in (row.sha256, row.sha256[:10], row.sha256[:16], row.blake3, row.crc32, row.autov1):
        assert not digest or row.name in names(digest)


def test_a_local_file_is_found_by_every_digest(own: Path) -> None:
    raw = safetensors_bytes(
        {"emb_params": ("F32", [1, 768], struct.pack("<768f", *[0.0351] * 768))}
    )
    path = model(own, "e.safetensors", raw)
    (hashed,) = api.hash_files([path])
    assert hashed.digests is not None
    digests = hashed.digests
    for meaning in MEANINGS:
        if meaning.field == "sshs_model_hash":  # metadata say so: only a library keeps it
            continue
        digest = getattr(digests, meaning.field)[: meaning.digits]
        hits = api.which(digest).hits
        assert (meaning.word, str(path)) in [(hit.meaning, hit.name) for hit in hits]
    assert not api.which(digests.blake3 or "", api.HashOptions(cache=False)).found


def test_the_checksum_of_an_embedding_is_that_of_a1111(own: Path) -> None:
    values = [0.5, -0.25, 0.0199, -1.5] * 192
    raw = safetensors_bytes({"emb_params": ("F32", [1, 768], struct.pack("<768f", *values))})
    checksum = 0  # the formula by hand: numbers times 100, cut to whole ones
    for whole in [50, -25, 1, -150] * 192:
        checksum = (checksum * 281 ^ whole * 997) % 2**32
    (hashed,) = api.hash_files([model(own, "e.safetensors", raw)])
    assert hashed.digests is not None
    assert hashed.digests.embedding_checksum == f"{checksum % 65536:04x}"


def test_a_file_is_found_by_its_twin_and_not_by_itself(own: Path) -> None:
    raw = safetensors_bytes({"w": ("F32", [2], b"\0" * 8)})
    first, twin = model(own, "first", raw), model(own, "twin", raw)
    other = model(own, "other", safetensors_bytes({"w": ("F32", [2], b"\0" * 8)}, {"a": "b"}))
    assert not api.which(first).found
    list(api.hash_files([twin, other]))
    hits = {(hit.meaning, hit.name) for hit in api.which(first).hits}
    assert hits == {("sha256", str(twin)), ("data_sha256", str(other))}


@given(st.text(alphabet="0123456789abcdefABCDEFx[]() :", max_size=70))
def test_digits_are_read_or_refused(text: str) -> None:
    try:
        digits = digits_of(text)
    except UsageError:
        return
    assert re.fullmatch("[0-9a-f]+", digits)
    assert len(digits) in {4, 8, 10, 12, 16, 64}
    assert digits in text.lower()


@pytest.mark.parametrize("text", ["", "7460a6f", "7460a6fg", "model.safetensors", "[7460]a", "🙂"])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="neither a file nor a hash"):
        digits_of(text)


def test_every_row_of_the_table_is_well_formed() -> None:
    lengths = {"sha256": {64}, "sha256_begins": {10, 16}, "data_sha256": {64}, "blake3": {64},
               "crc32": {8}, "autov1": {8}}  # fmt: skip
    for row in known_models():
        for field, allowed in lengths.items():
            digest = getattr(row, field)
            assert not digest or (len(digest) in allowed and re.fullmatch("[0-9a-f]+", digest))
        assert row.sha256 or row.sha256_begins or row.autov1
        assert row.name
        assert set(row.sources.split()) <= sources().keys()
        assert row.size is None or row.size > 0
    digests = [row.sha256 for row in known_models() if row.sha256]
    assert len(digests) == len(set(digests)) == 1870


def test_the_tables_words_are_those_of_the_families() -> None:
    fields = Identity.__dataclass_fields__
    assert "architecture" in fields
    for row in known_models():
        if row.architecture and row.kind in {"checkpoint", "diffusion_model"}:
            known = family(row.architecture)
            listed = (
                {word for choice in known.variants for word in choice.names} if known else set()
            )
            assert not listed or not row.variant or row.variant in listed | {"kontext", "krea"}


def test_a_row_is_found_without_reading_all() -> None:
    found = known_file(SD14)
    assert found is not None
    assert found.name == "sd-v1-4.ckpt"
    data = "d7a9105a900fd52748f20725fe52fe52b507fd36bee4fc107b1550a26e6ee1d7"
    weights = known_weights(data)
    assert weights is not None
    assert weights.name == "sd_xl_base_1.0.safetensors"
    assert known_file(data) is known_file("") is known_file(None) is known_weights("0" * 64) is None
