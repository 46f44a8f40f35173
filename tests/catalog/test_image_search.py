"""Pictures are found by walks and by lists alike: both must agree with a plain look at each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_rows import START, add_image
from kanna.catalog import image_search
from kanna.catalog.image_search import ImageQuestion, search_images, tidy_prompts
from kanna.catalog.store import Library

WORDS = ("masterpiece", "1girl", "blue_eyes", "hat", "美少女", "cathedral", "rare")
SHARES = (0.8, 0.5, 0.3, 0.3, 0.2, 0.2, 0.02)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    chance = random.Random(4)
    with Library(tmp_path_factory.mktemp("images") / "library.sqlite3") as opened:
        for number in range(400):
            words = [word for word, share in zip(WORDS, SHARES, strict=True)
                     if chance.random() < share]  # fmt: skip
            add_image(
                opened, f"/pictures/{number}.png", ", ".join(words) if number % 50 else None,
                chance.choice(("lowres", "bad hands", "")),
                models=[("checkpoint", f"model{number % 7}", f"abcdef012{number % 7}"),
                        ("lora", f"lora{number % 90}", "")],
                modified=START + chance.randrange(100_000), seed=str(number % 20),
                sampler=chance.choice(("Euler a", "DDIM")), present=int(number % 11 > 0),
            )  # fmt: skip
        yield opened


def plainly(library: Library, words: set[str], no: set[str], **same: Any) -> list[str]:
    """Return the paths that a look at every picture finds, newest first."""
    found = []
    for row in library.rows(
        "SELECT image.*, prompt.prompt AS text FROM image LEFT JOIN prompt"
        " ON prompt.id = image.prompt WHERE present = 1"
        " ORDER BY modified DESC, image.prompt DESC, image.id DESC"
    ):
        there = set((row["text"] or "").split(", "))
        fits = all(row[name] == value for name, value in same.items())
        if words <= there and not no & there and fits:
            found.append(row["path"])
    return found


def paths(library: Library, limit: int = 1000, **question: Any) -> list[str]:
    rows = search_images(library, ImageQuestion(**question), limit=limit)
    return [str(row.path) for row in rows]


CASES = [
    ({"masterpiece"}, set()), ({"rare"}, set()), ({"masterpiece", "rare"}, set()),
    ({"1girl"}, {"hat"}), (set(), {"masterpiece"}), ({"美少女", "hat"}, {"rare"}), (set(), set()),
]  # fmt: skip


@pytest.mark.parametrize("few", [0, 10_000])
@pytest.mark.parametrize("limit", [3, 1000])
@pytest.mark.parametrize(("words", "no"), CASES)
def test_every_way_finds_the_same(
    library: Library, monkeypatch: pytest.MonkeyPatch, words: set[str], no: set[str], limit: int,
    few: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(image_search, "_FEW", few)
    monkeypatch.setattr(image_search, "_STEPS", (5, 20, 40, 80))
    typed = " ".join([*sorted(words), *(f"-{word}" for word in sorted(no))])
    expected = plainly(library, words, no)
    assert paths(library, limit, words=typed) == expected[:limit]
    by_seed = plainly(library, words, no, seed="7")
    assert paths(library, limit, words=typed, seed="7") == by_seed[:limit]


@pytest.mark.parametrize("few", [0, 10_000])
def test_models(library: Library, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(image_search, "_FEW", few)
    there = {path for path in plainly(library, {"1girl"}, set()) if path}
    named = [p for p in plainly(library, set(), set()) if int(Path(p).stem) % 7 == 3]
    assert paths(library, model="model3") == named
    assert paths(library, model="ABCDEF0123") == named
    assert paths(library, model="model3", words="1girl") == [p for p in named if p in there]
    assert paths(library, lora="lora89") == [
        p for p in plainly(library, set(), set()) if int(Path(p).stem) % 90 == 89
    ]
    assert paths(library, model="lora89") == []


def test_words_are_whole_unless_a_star_follows(library: Library) -> None:
    assert paths(library, words="cat") == []
    assert paths(library, words="cat*") == plainly(library, {"cathedral"}, set())
    assert paths(library, words="girl blue eyes") == plainly(library, {"1girl", "blue_eyes"}, set())
    assert paths(library, words="少女") == plainly(library, {"美少女"}, set())


def test_prompts_and_negative_prompts_are_told_apart(library: Library) -> None:
    assert paths(library, words="lowres") == []
    found = search_images(library, ImageQuestion(negative="lowres", words="1girl"), limit=1000)
    assert found
    assert all(one.negative == "lowres" and "1girl" in (one.prompt or "") for one in found)


def test_sampler_and_time(library: Library) -> None:
    found = search_images(library, ImageQuestion(sampler="ddim", since=START + 50_000), limit=1000)
    assert found
    assert all(one.sampler == "DDIM" and one.modified >= START + 50_000 for one in found)
    assert found[0].models[0].role == "checkpoint"


def test_tidying_changes_no_answer(library: Library) -> None:
    before = paths(library, words="masterpiece")
    assert library.rows("SELECT count(DISTINCT segid) FROM prompt_words_idx")[0][0] > 4
    with library.writing() as connection:
        tidy_prompts(connection)
    assert library.rows("SELECT count(DISTINCT segid) FROM prompt_words_idx")[0][0] == 1
    assert paths(library, words="masterpiece") == before
