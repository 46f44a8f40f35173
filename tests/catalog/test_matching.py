"""From what pictures call models to files of a library: every meaning, every name, every doubt."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.catalog.matching import Match, Matcher, match
from kanna.catalog.matching_aliases import Alias, aliases_of, keep_aliases
from kanna.catalog.matching_grades import DIGESTS, ORDER
from kanna.catalog.matching_groups import distinct, grouped
from kanna.catalog.matching_names import SPELLING, name_of, shared_folders, spelling, split
from kanna.catalog.store import Library, path_value
from kanna.disk import Fingerprint
from kanna.hashing.cache import HashCache
from kanna.hashing.digests import Digests
from kanna.hashing.known import known_models
from kanna.hashing.resolving import MEANINGS
from kanna.infotext.info import ModelReference, Role
from kanna.metadata.companions import Companion, PublishedFile


def sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def digest_of(meaning: Any, text: str) -> dict[str, Any]:
    return {meaning.field: sha(text)}


class Shelf:
    """A library in a folder; `put` makes a file and its row."""

    def __init__(self, folder: Path, library: Library) -> None:
        self.folder, self.library = folder, library

    def put(self, below: str, *, aliases: tuple[tuple[str, str], ...] = (), there: bool = True,
            **columns: Any) -> Path:  # fmt: skip
        path = self.folder / below
        if there:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        row = {
            "path": path_value(path), "name": path_value(Path(path.name)),
            "fingerprint": columns.pop("fingerprint", sha(below)), "size": 0, "modified": 0,
            "first_seen": 0, **columns,
        }  # fmt: skip
        marks = ", ".join("?" * len(row))
        with self.library.writing() as connection:
            cursor = connection.execute(
                f"INSERT INTO file ({', '.join(row)}) VALUES ({marks})", [*row.values()]
            )
            assert cursor.lastrowid is not None
            keep_aliases(connection, cursor.lastrowid, [Alias(*alias) for alias in aliases])
        return path

    def find(self, role: Role = "checkpoint", **said: Any) -> list[tuple[str, str, str]]:
        """What is found: certainty, meaning, and the path below the folder."""
        return [
            (one.certainty, one.meaning, one.path.relative_to(self.folder).as_posix())
            for one in self.match(role, **said)
        ]

    def match(self, role: Role = "checkpoint", **said: Any) -> tuple[Match, ...]:
        return match(self.library, ModelReference(role=role, **said))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    with Library(tmp_path / "library.sqlite3") as library:
        yield Shelf(tmp_path / "models", library)


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: meaning.word)
def test_a_file_is_found_by_a_digest_of_every_meaning(shelf: Shelf, meaning: Any) -> None:
    shelf.put("a.safetensors", kind="checkpoint", **digest_of(meaning, "a"))
    shelf.put("b.safetensors", kind="checkpoint", **digest_of(meaning, "b"))
    digest = sha("a")[: meaning.digits]
    expected = DIGESTS[meaning.word].alone
    found = {one.path.name: one for one in shelf.match(digest=digest, meanings=(meaning.word,))}
    assert list(found) == ["a.safetensors"]
    one = found["a.safetensors"]
    assert meaning.word in (one.meaning, *one.also)
    assert one.certainty == expected
    assert one.present
    assert one.kind_agrees


def test_whole_digests_make_certain_and_copies_are_all_named(shelf: Shelf) -> None:
    for name in ("copy/a.safetensors", "renamed.safetensors"):
        shelf.put(name, kind="checkpoint", sha256=sha("a"))
    shelf.put("gone.safetensors", there=False, kind="checkpoint", sha256=sha("a"))
    found = shelf.match(digest=sha("a")[:10], name="a")
    assert [one.certainty for one in found] == ["certain"] * 3
    assert [one.present for one in found] == [True, True, False]
    assert found[0].path.name == "a.safetensors"  # its name agrees, too


def test_the_same_weights_under_another_header_are_certain(shelf: Shelf) -> None:
    shelf.put("edited.safetensors", kind="lora", sha256=sha("new"), data_sha256=sha("data"))
    said = {"digest": sha("data")[:12], "meanings": ("autov3", "sha256_12")}
    assert shelf.find("lora", name="old", **said) == [("certain", "autov3", "edited.safetensors")]
    assert shelf.find("lora", digest=sha("data")[:10])[0][:2] == ("certain", "data_sha256_10")


def test_what_a_lora_says_of_itself_is_believed_less_than_its_data(shelf: Shelf) -> None:
    shelf.put("x.safetensors", kind="lora", sha256=sha("1"), sshs_model_hash=sha("s"))
    said = {"digest": sha("s")[:12], "meanings": ("autov3", "sha256_12")}
    assert shelf.find("lora", **said) == [("likely", "sshs_model_hash", "x.safetensors")]
    assert shelf.find("lora", name="x", **said)[0][0] == "certain"
    shelf.put("resized.safetensors", kind="lora", sha256=sha("2"), sshs_model_hash=sha("s"))
    assert {one[0] for one in shelf.find("lora", **said)} == {"possible"}


def test_the_old_hash_alone_is_likely_with_the_name_certain_of_several_possible(
    shelf: Shelf,
) -> None:
    shelf.put("a.ckpt", kind="checkpoint", sha256=sha("a"), autov1="12345678")
    assert shelf.find(digest="12345678") == [("likely", "autov1", "a.ckpt")]
    assert shelf.find(digest="12345678", name="a") == [("certain", "autov1", "a.ckpt")]
    shelf.put("b.ckpt", kind="checkpoint", sha256=sha("b"), autov1="12345678")
    assert {one[0] for one in shelf.find(digest="12345678")} == {"possible"}
    assert shelf.find(digest="12345678", name="a") == [
        ("likely", "autov1", "a.ckpt"), ("possible", "autov1", "b.ckpt"),
    ]  # fmt: skip


def test_published_files_count_where_digests_collide(shelf: Shelf) -> None:
    """ffa7b160 is the old hash of three files that were published; one of them is here."""
    row = next(r for r in known_models() if r.filename == "BloodOrangeMix.ckpt")
    shelf.put("mix.ckpt", kind="checkpoint", sha256=row.sha256, autov1="ffa7b160")
    assert shelf.find(digest="ffa7b160") == [("possible", "autov1", "mix.ckpt")]
    assert shelf.find(digest="ffa7b160", name="BloodOrangeMix")[0][:1] == ("likely",)


def test_the_hash_of_nothing_finds_nothing(shelf: Shelf) -> None:
    shelf.put("small.pt", kind="embedding", sha256=sha("x"), autov1="e3b0c442")
    assert shelf.find("embedding", digest="e3b0c442") == []
    assert shelf.find("embedding", digest="e3b0c442", name="small")[0][2] == "small.pt"


def test_a_crc_that_the_program_did_not_mean_is_only_possible(shelf: Shelf) -> None:
    shelf.put("a.ckpt", kind="checkpoint", sha256=sha("a"), crc32="12345678", autov1="99999999")
    assert shelf.find(digest="12345678", meanings=("autov1",))[0][:2] == ("possible", "crc32")
    assert shelf.find(digest="12345678")[0][:2] == ("likely", "crc32")


def test_four_digits_are_possible_and_likely_with_the_name(shelf: Shelf) -> None:
    shelf.put("style.pt", kind="embedding", embedding_checksum="ab12")
    assert shelf.find("embedding", digest="ab12")[0][0] == "possible"
    assert shelf.find("embedding", digest="ab12", name="style")[0][0] == "likely"


def test_a_name_alone_is_likely_if_one_file_of_the_kind_has_it(shelf: Shelf) -> None:
    shelf.put("ink.safetensors", kind="checkpoint", sha256=sha("1"))
    assert shelf.find(name="ink") == [("likely", "name", "ink.safetensors")]
    assert shelf.find("lora", name="ink") == [("possible", "name", "ink.safetensors")]
    assert shelf.find("unknown", name="ink")[0][0] == "likely"
    shelf.put("two/ink.safetensors", kind="checkpoint", sha256=sha("2"))
    assert {one[0] for one in shelf.find(name="ink")} == {"possible"}
    shelf.put("copy/ink.safetensors", kind="checkpoint", sha256=sha("1"))
    assert len(shelf.find(name="ink")) == 3


@pytest.mark.parametrize(
    "name",
    ["Ink Style.safetensors", "ink style", "sub\\Ink Style.safetensors", "sub/Ink Style",
     "https://example.org/resolve/main/Ink%20Style.safetensors?download=true",
     "Ink Style [0123456789]", "C:\\models\\sub\\Ink Style.safetensors"],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(shelf: Shelf, name: str) -> None:
    shelf.put("sub/Ink Style.safetensors", kind="checkpoint")
    (found,) = shelf.find(name=name)
    assert found[0] == "likely"
    assert found[1] == "name"


def test_a_year_in_brackets_is_a_part_of_the_name(shelf: Shelf) -> None:
    shelf.put("Ink (2023).safetensors", kind="checkpoint")
    assert shelf.find(name="Ink (2023)") == [("likely", "name", "Ink (2023).safetensors")]


@pytest.mark.parametrize(
    ("name", "meaning"),
    [("ink_style", "other_spelling"), ("Ink-Style", "other_spelling"),
     ("Ink Style.ckpt", "other_suffix"), ("anime_Ink Style", "name_end")],
)  # fmt: skip
def test_a_name_that_differs_makes_only_possible(shelf: Shelf, name: str, meaning: str) -> None:
    shelf.put("sub/Ink Style.safetensors", kind="checkpoint")
    assert shelf.find(name=name) == [("possible", meaning, "sub/Ink Style.safetensors")]


def test_folders_joined_as_a1111_does_are_a_name(shelf: Shelf) -> None:
    shelf.put("SD/anime/x_v1.safetensors", kind="checkpoint")
    assert shelf.find(name="anime_x_v1") == [("likely", "name", "SD/anime/x_v1.safetensors")]
    assert shelf.find(name="photo_x_v1")[0][:2] == ("possible", "name_end")


def test_the_folders_of_another_machine_choose_between_files_of_one_name(shelf: Shelf) -> None:
    shelf.put("vae/sdxl/model.safetensors", kind="vae", sha256=sha("1"))
    shelf.put("vae/flux/model.safetensors", kind="vae", sha256=sha("2"))
    assert shelf.find("vae", name="flux\\model.safetensors") == [
        ("likely", "name", "vae/flux/model.safetensors"),
        ("possible", "other_folder", "vae/sdxl/model.safetensors"),
    ]


def test_a_file_of_the_name_with_another_hash_is_another_file(shelf: Shelf) -> None:
    shelf.put("a.safetensors", kind="checkpoint", sha256=sha("other"), data_sha256=sha("d"))
    (found,) = shelf.match(name="a", digest=sha("a")[:10])
    assert (found.certainty, found.contradicts) == ("possible", True)
    shelf.put("b.safetensors", kind="checkpoint", sha256=sha("a"))
    assert shelf.find(name="a", digest=sha("a")[:10]) == [("certain", "autov2", "b.safetensors")]


def test_a_file_that_was_not_hashed_does_not_contradict(shelf: Shelf) -> None:
    shelf.put("a.safetensors", kind="checkpoint")
    (found,) = shelf.match(name="a", digest=sha("a")[:10])
    assert (found.certainty, found.contradicts) == ("likely", False)


def test_the_name_of_a_vae_beats_its_hash(shelf: Shelf) -> None:
    """A1111 keeps one cache entry for all VAEs, so that a picture may have another one's hash."""
    shelf.put("named.pt", kind="vae", sha256=sha("named"))
    shelf.put("hashed.pt", kind="vae", sha256=sha("hashed"))
    found = shelf.match("vae", name="named.pt", digest=sha("hashed")[:10], meanings=("autov2",))
    assert [(one.certainty, one.path.name) for one in found] == [
        ("likely", "named.pt"), ("possible", "hashed.pt"),
    ]  # fmt: skip
    assert found[1].contradicts
    both = shelf.find("vae", name="hashed.pt", digest=sha("hashed")[:10])
    assert both == [("certain", "vae_hash", "hashed.pt")]
    assert shelf.find("vae", name="gone.pt", digest=sha("hashed")[:10])[0][:2] == (
        "likely", "vae_hash",
    )  # fmt: skip
    whole = shelf.find("vae", name="named.pt", digest=sha("hashed")[:16])  # sd_infotext_ex's
    assert whole == [("certain", "sha256_16", "hashed.pt")]


def test_the_hash_of_a_vae_of_a_published_name_is_doubted(shelf: Shelf) -> None:
    """It is known which file has that name, and it is not the one that was hashed."""
    mse = "vae-ft-mse-840000-ema-pruned.safetensors"
    shelf.put("mine.pt", kind="vae", sha256=sha("mine"))
    asked = {"name": mse, "digest": sha("mine")[:10]}
    assert shelf.find("vae", **asked) == [("possible", "vae_hash", "mine.pt")]
    own = next(row.sha256 for row in known_models() if row.filename == mse)
    shelf.put("own.pt", kind="vae", sha256=own)
    assert shelf.find("vae", name=mse, digest=own[:10]) == [("certain", "vae_hash", "own.pt")]


def test_the_hash_that_forge_made_of_a_name_is_one_of_the_name(shelf: Shelf) -> None:
    shelf.put("a.safetensors", kind="checkpoint", sha256=sha("content"))
    fake = sha("a.safetensors")[:10]
    (found,) = shelf.match(name="a", digest=fake)
    assert (found.certainty, found.contradicts) == ("likely", False)
    assert "name_hash" in found.also
    assert shelf.find(digest=fake) == [("likely", "name_hash", "a.safetensors")]


def test_a_renamed_file_is_found_by_its_former_name(shelf: Shelf) -> None:
    path = shelf.put("old.safetensors", kind="checkpoint")
    new = path.rename(path.with_name("new.safetensors"))
    with shelf.library.writing() as connection:
        row = (path_value(new), new.name, path_value(path))
        connection.execute("UPDATE file SET path = ?, name = ? WHERE path = ?", row)
    assert shelf.find(name="old.safetensors") == [("likely", "former", "new.safetensors")]


@pytest.mark.parametrize("source", ["companion", "metadata"])
def test_a_file_is_found_by_the_names_that_others_give_it(shelf: Shelf, source: str) -> None:
    shelf.put("x.safetensors", kind="lora", aliases=(("Published Name.safetensors", source),))
    assert shelf.find("lora", name="Published Name") == [("likely", source, "x.safetensors")]
    assert shelf.find("lora", name="published_name")[0][:2] == ("possible", "other_spelling")


def test_a_file_is_found_by_the_name_under_which_it_was_published(shelf: Shelf) -> None:
    row = next(r for r in known_models() if r.filename == "vae-ft-mse-840000-ema-pruned.ckpt")
    shelf.put("mse.ckpt", kind="vae", sha256=row.sha256)
    (found,) = shelf.find("vae", name=row.filename)
    assert found == ("likely", "published_name", "mse.ckpt")
    both = shelf.find("vae", name=row.filename, digest=row.sha256[:10])
    assert both == [("certain", "vae_hash", "mse.ckpt")]


@pytest.mark.parametrize("said", [{"name": "big.ckpt"}, {"digest": sha("big")[:10]}])
def test_what_kanna_made_of_the_file_is_possible(shelf: Shelf, said: dict[str, Any]) -> None:
    shelf.put("pruned.safetensors", kind="checkpoint", sha256=sha("pruned"))
    with shelf.library.writing() as connection:
        connection.execute(
            "INSERT INTO origin VALUES (1, 0, 'made_from', 'big.ckpt', ?)", (sha("big"),)
        )
        connection.execute("INSERT INTO origin VALUES (1, 1, 'merged_from', 'other.ckpt', NULL)")
    (found,) = shelf.match(**said)
    assert (found.certainty, found.meaning, found.contradicts) == ("possible", "made_from", False)
    assert shelf.find(name="other.ckpt") == []
    shelf.put("big.ckpt", kind="checkpoint", sha256=sha("big"))
    assert shelf.find(digest=sha("big")[:10]) == [("certain", "autov2", "big.ckpt")]


def test_what_was_hashed_is_found_without_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"weights")
    with HashCache(tmp_path / "cache.db") as cached:
        fingerprint = replace_time(path)
        cached.keep(path, fingerprint, Digests(size=7, sha256=sha("weights")))
        (found,) = Matcher(None, cached).match(
            ModelReference(role="checkpoint", digest=sha("weights")[:10])
        )
        assert (found.path, found.file_id, found.present) == (path, None, True)
        path.write_bytes(b"other weights")
        (gone,) = Matcher(None, cached).match(ModelReference(role="checkpoint", name="m"))
        assert not gone.present


def replace_time(path: Path) -> Fingerprint:
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return Fingerprint.of(path.stat())


def test_a_name_that_a_file_had_when_it_was_hashed_leads_to_it(
    shelf: Shelf, tmp_path: Path
) -> None:
    path = tmp_path / "old name.ckpt"
    path.write_bytes(b"weights")
    fingerprint = replace_time(path)
    key = f"{fingerprint.device}:{fingerprint.inode}:{fingerprint.size}:{fingerprint.mtime_ns}"
    shelf.put("new.ckpt", fingerprint=key, kind="checkpoint")
    with HashCache(tmp_path / "cache.db") as cached:
        cached.keep(path, fingerprint, Digests(size=7, sha256=sha("weights")))
        matcher = Matcher(shelf.library, cached)
        (found,) = matcher.match(ModelReference(role="checkpoint", name="old name"))
    assert (found.path.name, found.meaning, found.certainty) == ("new.ckpt", "former", "likely")


def test_names_that_are_no_text_are_found_by_their_digest(shelf: Shelf) -> None:
    name = b"m\xff.safetensors".decode("utf-8", "surrogateescape")
    shelf.put(name, there=False, kind="checkpoint", sha256=sha("a"))
    (found,) = shelf.match(digest=sha("a")[:10])
    assert found.path.name == name


def test_published_files_are_named_by_digest_then_by_exact_name(tmp_path: Path) -> None:
    with Library(tmp_path / "l") as library:
        matcher = Matcher(library, None)

        def names(**said: Any) -> list[tuple[str, str]]:
            hits = matcher.published(ModelReference(role="checkpoint", **said))
            return [(hit.meaning, hit.name) for hit in hits]

        name = "v1-5-pruned-emaonly.safetensors"
        assert names(name=name) == [("published_name", name)]
        assert names(name=name, digest="6ce0161689") == [("autov2", name)]
        assert names(name=name, digest="fe4efff1e1") == [("autov2", "sd-v1-4.ckpt")]
        assert names(name=name, digest="0123456789") == []  # it is not that one
        assert len(names(digest="ffa7b160", name="BloodOrangeMix")) == 3
        assert names(name="no such model") == []
    (shown,) = Matcher(None, None).published(
        ModelReference(role="upscaler", name="R-ESRGAN 4x+ Anime6B")
    )
    assert shown.name == "RealESRGAN_x4plus_anime_6B.pth"


@pytest.mark.parametrize(
    "name", ["modelVersionId 20", "urn:air:sd1:lora:civitai:10@20", "civitai:10@20", "Ink - v1.0"]
)
def test_a_model_is_found_by_what_civitai_calls_its_version(shelf: Shelf, name: str) -> None:
    aliases = (("modelVersionId 20", "companion"), ("Ink - v1.0", "companion"))
    shelf.put("mine.safetensors", kind="lora", aliases=aliases)
    assert shelf.find("lora", name=name) == [("likely", "companion", "mine.safetensors")]


@pytest.mark.parametrize("name", ["None", "Automatic", "", "  ", "Built in"])
def test_what_is_no_name_finds_nothing(shelf: Shelf, name: str) -> None:
    shelf.put("None.safetensors", kind="vae")
    assert shelf.find("vae", name=name) == []


@pytest.mark.parametrize(
    "said", [{"name": "a\udcff\ud800"}, {"digest": "\ud800" * 10}, {"digest": "12" * 5}]
)
def test_what_no_database_holds_finds_nothing(shelf: Shelf, said: dict[str, Any]) -> None:
    shelf.put("a.safetensors", kind="checkpoint", sha256=sha("a"))
    assert shelf.find(**said) == []


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


def test_a_name_that_is_none_takes_no_time() -> None:
    hostile = "a" + " (" * 200_000 + " " * 200_000
    assert name_of(hostile) is not None
    references = [ModelReference(role="lora", name=f"x{number}") for number in range(20_000)]
    assert len(grouped(references * 2)) == 20_000


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([("a", "1" * 10), ("a", None)], 1),
        ([("sub/a.safetensors", None), ("sub\\A.safetensors", None), ("a", None)], 2),
        ([("a", "1" * 10), (None, "1" * 16)], 1),
        ([("a", "1" * 10), (None, "2" * 10)], 2),
        ([("a", None), (None, "2" * 10)], 1),
    ],
)
def test_what_says_the_same_is_one_model(
    said: list[tuple[str | None, str | None]], expected: int
) -> None:
    references = [ModelReference(role="checkpoint", name=n, digest=d) for n, d in said]
    groups = grouped(references)
    assert len(groups) == expected
    for group in groups:
        assert len({one.digest for one in distinct(group)}) == len(list(distinct(group)))
    assert sum(map(len, groups)) == len(references)


def test_a_digest_of_another_stage_is_another_model() -> None:
    named = ModelReference(role="checkpoint", name="a")
    refiner = ModelReference(role="checkpoint", digest="1" * 10, stage="refiner")
    assert grouped([named, refiner]) == [[named], [refiner]]


def test_a_file_without_a_header_contradicts_by_its_bytes_alone(shelf: Shelf) -> None:
    shelf.put("a.pt", kind="lora", sha256=sha("a"))
    shelf.put("b.safetensors", kind="lora", sha256=sha("b"))
    for name, contradicts in (("a", True), ("b", False)):  # the data of b may be what was meant
        (found,) = shelf.match("lora", name=name, digest=sha("other")[:12])
        assert found.contradicts is contradicts


@given(NAMES)
def test_any_name_is_taken_apart(text: str) -> None:
    name = name_of(text)
    if name is not None:
        assert name.stem
        assert all(one == spelling(one) for one in name.spellings)
        assert shared_folders(name, "a/b") <= 2
        assert "".join(split(text)).lower() == text.lower()


@given(NAMES)
def test_sqlite_spells_names_as_we_do(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    (spelled,) = connection.execute(f"SELECT {SPELLING.format('?')}", (text,)).fetchone()
    connection.close()
    assert spelled == spelling(text)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["1" * 64, "2" * 64, None])), max_size=6),
    st.sampled_from(["a", "b", None]),
    st.sampled_from(["1" * 10, "2" * 64, "1" * 8, None]),
)  # fmt: skip
def test_the_surest_is_first_and_nothing_is_named_twice(
    files: list[tuple[str, str | None]], name: str | None, digest: str | None
) -> None:
    with Library(Path(":memory:")) as library:
        shelf = Shelf(Path("/nowhere"), library)
        for number, (stem, digits) in enumerate(files):
            shelf.put(f"{number}/{stem}.ckpt", there=False, kind="checkpoint", sha256=digits,
                      autov1=digits and digits[:8])  # fmt: skip
        found = Matcher(library, None).match(
            ModelReference(role="checkpoint", name=name, digest=digest)
        )
        ranks = [ORDER.index(one.certainty) for one in found]
        assert ranks == sorted(ranks)
        assert len({one.path for one in found}) == len(found)
        for one in found:
            if one.certainty == "certain":
                assert digest is not None
                assert (one.sha256 or "").startswith(digest[:8])


def test_aliases_come_from_metadata_and_from_files_beside(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"x" * 2048)
    beside = Companion(
        path=tmp_path / "mine.civitai.info", source="civitai", version_number=20,
        says={"title": "New Ink", "version": "v1.0"},
        files=(PublishedFile(name="newInk_v10.safetensors", bytes=2000),
               PublishedFile(name="newInk_v10_vae.pt", bytes=900_000),
               PublishedFile(name="unsized.safetensors")),
    )  # fmt: skip
    said = {"ss_output_name": "ink-000010", "modelspec.title": "mine", "general.name": "\ud800"}
    found = aliases_of(path, said, [beside])
    assert found == (
        Alias("ink-000010", "metadata"),
        Alias("newInk_v10.safetensors", "companion"), Alias("unsized.safetensors", "companion"),
        Alias("New Ink", "companion"), Alias("New Ink v1.0", "companion"),
        Alias("New Ink - v1.0", "companion"), Alias("modelVersionId 20", "companion"),
    )  # fmt: skip


def test_new_aliases_take_the_place_of_old_ones_but_not_of_former_names(shelf: Shelf) -> None:
    shelf.put("a.ckpt", aliases=(("old", "metadata"), ("was", "former")))
    with shelf.library.writing() as connection:
        keep_aliases(connection, 1, [Alias("new", "companion")])
    rows = shelf.library.rows("SELECT name, source FROM alias ORDER BY name")
    assert [tuple(row) for row in rows] == [("new", "companion"), ("was", "former")]
