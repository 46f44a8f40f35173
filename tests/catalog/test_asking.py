"""Models are found by words and by what they are, and a wrong word is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_rows import START, add_file, add_root
from kanna.api.library_asking import FindOptions, filters_of
from kanna.catalog import asking
from kanna.catalog.asking import count, find
from kanna.catalog.asking_words import family_of, time_of
from kanna.catalog.conditions import Base, Family
from kanna.catalog.store import Library
from kanna.errors import UsageError


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("asking") / "library.sqlite3") as opened:
        active, backup = add_root(opened, "/active"), add_root(opened, "/backup", "backup")
        add_file(
            opened,
            "/active/AbyssOrangeMix3_A1B.safetensors",
            root=active,
            size=2_000,
            tags=["anime", "best"],
            title="Abyss Orange",
            findings=["KN203"],
        )
        add_file(
            opened,
            "/active/sub/美少女_XL.safetensors",
            root=active,
            architecture="sdxl",
            size=7_000,
            note="with 100% sparkle",
        )
        add_file(
            opened,
            "/backup/flux.gguf",
            root=backup,
            kind="diffusion_model",
            architecture="flux",
            variant="dev",
            container="gguf",
            dtype=None,
            quantization="gguf-q4_k",
            size=6_000,
        )
        add_file(
            opened,
            "/backup/pose.safetensors",
            root=backup,
            kind="lora",
            tags=["anime"],
            origins=[("trained_on", "animefull_final.ckpt", "925997e9" + "0" * 56)],
        )
        add_file(opened, "/active2/old.ckpt", container="ckpt-zip", present=0)
        add_file(
            opened,
            "/active/zz.bin",
            kind=None,
            architecture=None,
            dtype=None,
            error="formats.unknown",
            error_text="It is broken.",
        )
        yield opened  # fmt: skip


def names(library: Library, **options: Any) -> list[str]:
    filters = filters_of(FindOptions(**options), library)
    found = find(library, filters)
    assert count(library, filters) == len(found)
    return [one.path.stem for one in found]


AOM, XL, FLUX, POSE, BROKEN = "AbyssOrangeMix3_A1B", "美少女_XL", "flux", "pose", "zz"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [AOM, FLUX, POSE, BROKEN, XL]),
        ({"words": "orangemix"}, [AOM]),
        ({"words": "anime"}, [AOM, POSE]),
        ({"words": "anime -orange"}, [POSE]),
        ({"words": "-anime"}, [FLUX, BROKEN, XL]),
        ({"words": "少女 sparkle"}, [XL]),
        ({"words": "lux.gg"}, [FLUX]),  # in no word, but in a name
        ({"words": "0%"}, []),  # no pattern of LIKE
        ({"words": "nowhere"}, []),
        ({"kinds": ("checkpoint", "lora")}, [AOM, POSE, XL]),
        ({"families": ("sdxl", "FLUX.1")}, [FLUX, XL]),
        ({"families": ("flux dev",)}, [FLUX]),
        ({"families": ("flux schnell",)}, []),
        ({"variants": ("dev",)}, [FLUX]),
        ({"precisions": ("half",)}, [AOM, POSE, XL]),
        ({"precisions": ("gguf-q4_k",)}, [FLUX]),
        ({"containers": ("gguf",)}, [FLUX]),
        ({"containers": ("ckpt",)}, []),
        ({"containers": ("ckpt",), "gone": True}, ["old"]),
        ({"findings": ("kn203",)}, [AOM]),
        ({"tags": ("Anime",)}, [AOM, POSE]),
        ({"tags": ("anime", "best")}, [AOM]),
        ({"base": "sd1"}, [POSE]),
        ({"base": "animefull"}, [POSE]),
        ({"base": "925997e9"}, [POSE]),
        ({"base": "no_such"}, []),
        ({"roots": (Path("/active"),)}, [AOM, BROKEN, XL]),
        ({"roots": (Path("/active/sub/"), Path("/backup"))}, [FLUX, POSE, XL]),
        ({"role": "backup"}, [FLUX, POSE]),
        ({"larger": "6KB"}, [FLUX, XL]),
        ({"smaller": "6KB", "kinds": ("checkpoint",)}, [AOM]),
        ({"newer": "2100"}, []),
        ({"older": "2100-01-01", "kinds": ("lora",)}, [POSE]),
        ({"broken": True}, [BROKEN]),
        ({"noted": True}, [XL]),
        ({"unknown": True}, []),
    ],
)
def test_find(library: Library, options: dict[str, Any], expected: list[str]) -> None:
    assert names(library, **options) == expected


@pytest.mark.parametrize("few", [0, 2_000])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", [AOM, FLUX, POSE, BROKEN, XL]),
        ("size", [XL, FLUX, AOM, BROKEN, POSE]),
        ("modified", [BROKEN, POSE, FLUX, XL, AOM]),
        ("family", [FLUX, AOM, POSE, XL, BROKEN]),
    ],
)
def test_orders(
    library: Library, monkeypatch: pytest.MonkeyPatch, sort: Any, expected: list[str], few: int
) -> None:
    """In few models or in many, of which an index of the order finds the first ones."""
    monkeypatch.setattr(asking, "_FEW", few)
    filters = filters_of(FindOptions(), library)
    assert [one.path.stem for one in find(library, filters, sort=sort)] == expected
    assert [one.path.stem for one in find(library, filters, sort=sort, limit=2)] == expected[:2]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kinds": ("loraa",)}, "lora"),
        ({"families": ("sdxxl",)}, "sdxl"),
        ({"precisions": ("fp17",)}, "fp16"),
        ({"containers": ("zip",)}, "safetensors"),
        ({"findings": ("KN999",)}, "KN"),
        ({"tags": ("animee",)}, "anime"),
        ({"variants": ("devv",)}, "dev"),
        ({"larger": "big"}, "2GB"),
        ({"newer": "yesterday"}, "30d"),
    ],
)
def test_a_wrong_word_is_told(library: Library, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        names(library, **options)
    assert told in caught.value.hint


def test_what_a_model_is_found_with(library: Library) -> None:
    (found,) = find(library, filters_of(FindOptions(words="orangemix"), library))
    assert (found.tags, found.findings, found.size) == (("anime", "best"), ("KN203",), 2_000)


def test_families_and_bases() -> None:
    assert family_of("FLUX.1") == Family(architecture="flux")
    assert family_of("flux schnell") == Family(architecture="flux", variant="schnell")
    assert Base(architecture="sd1") != Base(name="sd1")


def test_dates() -> None:
    assert (
        time_of("2024-01-01", "--newer") < time_of("2024-05", "--newer") < time_of("1d", "--newer")
    )
    assert time_of("2024", "") == time_of("2024-01-01", "") > START


def test_hostile_words_are_words(library: Library) -> None:
    for text in ("'; DROP TABLE file; --", '" OR 1', "\udcff", "%", "_", "\0"):
        names(library, words=text)
        names(library, base=text)
    assert len(names(library)) == 5
