"""Rows of a made-up library: model files and pictures by the hundred thousand, always the same.

Words follow Zipf's law, as tags do: some prompts share nearly all their words, and each has some
of its own. Nothing is on the disk but the library.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator
from typing import Final

from kanna.catalog.image_search import tidy_prompts
from kanna.catalog.store import Library
from kanna.catalog.wording import words_of

_START: Final = 1_660_000_000.0  # August 2022
_BATCH: Final = 20_000
_SYLLABLES: Final = ("ka", "mi", "ren", "to", "sa", "lu", "vor", "ne", "pix", "el", "ou", "shi")
_JAPANESE: Final = ("美少女", "制服", "青い空", "夕焼け", "桜", "東京の街", "セーラー服", "猫耳")
_ALWAYS: Final = {
    "masterpiece": 0.7, "best quality": 0.6, "1girl": 0.5, "solo": 0.45, "blue_eyes": 0.15,
    "<lora:add_detail:0.6>": 0.1, "(detailed background:1.2)": 0.1, "美少女": 0.05,
}  # fmt: skip
_NEGATIVES: Final = ("lowres, bad anatomy, bad hands", "worst quality, low quality:1.4", "nsfw", "")
_SAMPLERS: Final = ("Euler a", "DPM++ 2M Karras", "DPM++ SDE Karras", "DDIM", "euler")
_FAMILIES: Final = (
    ("sd1", "checkpoint", 2_132_000_000), ("sdxl", "checkpoint", 6_938_000_000),
    ("sd1", "lora", 151_000_000), ("sdxl", "lora", 228_000_000),
    ("flux", "diffusion_model", 23_800_000_000), ("sd1", "vae", 334_000_000),
    ("sd1", "embedding", 20_000),
)  # fmt: skip


def fill_images(library: Library, images: int, prompts: int, models: int = 2_000) -> None:
    """Add pictures that share `prompts` prompts of about 60 words and name `models` models."""
    chance = random.Random(1)
    tags = [*_tags(30_000)]
    weights = [*itertools.accumulate(1 / (rank + 20) for rank in range(len(tags)))]
    for start in range(1, prompts + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, prompts + 1))
        _add_prompts(library, [(n, *_prompt(n, tags, weights, chance)) for n in numbers])
    _add_models(library, models)
    for start in range(1, images + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, images + 1))
        rows = [_image(number, images, prompts, chance) for number in numbers]
        _add_images(library, rows, models, chance)
    with library.writing() as connection:
        tidy_prompts(connection)  # as every scan does
        connection.execute("ANALYZE")


def fill_files(library: Library, files: int) -> None:
    """Add models of every usual kind, with their words, parts, some tags and findings."""
    chance = random.Random(2)
    tags = [*_tags(20_000)]
    for start in range(1, files + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, files + 1))
        _add_files(library, [_file(number, tags, chance) for number in numbers])
    with library.writing() as connection:
        connection.execute("ANALYZE")


def _tags(count: int) -> Iterator[str]:
    """Yield made-up tags: one to three made-up words, some of them Japanese."""
    chance = random.Random(3)
    for number in range(count):
        words = ("".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(3))
        tag = " ".join(itertools.islice(words, chance.randint(1, 3)))
        yield chance.choice(_JAPANESE) + tag[:2] if number % 50 == 0 else tag


def _prompt(
    number: int, tags: list[str], weights: list[float], chance: random.Random
) -> tuple[str, str]:
    first = [tag for tag, share in _ALWAYS.items() if chance.random() < share]
    others = chance.choices(tags, cum_weights=weights, k=30)
    return ", ".join([*first, *others, f"token{number}"]), chance.choice(_NEGATIVES)


def _add_prompts(library: Library, rows: list[tuple[int, str, str]]) -> None:
    with library.writing() as connection:
        connection.executemany(
            "INSERT INTO prompt (id, digest, prompt, negative) VALUES (?, ?, ?, ?)",
            ((n, _digest(f"{n}").digest()[:16], prompt, negative) for n, prompt, negative in rows),
        )
        connection.executemany(
            "INSERT INTO prompt_words (rowid, prompt, negative) VALUES (?, ?, ?)",
            ((n, words_of(prompt), words_of(negative)) for n, prompt, negative in rows),
        )


def _image(number: int, images: int, prompts: int, chance: random.Random) -> tuple[object, ...]:
    """Return a picture's row; of ten in a folder, one was touched at any time since."""
    modified = _START + number * 60.0
    if chance.random() < 0.1:
        modified += chance.random() * (images - number) * 60
    prompt = 1 + (number - 1) * prompts // images
    path = f"/pictures/{number // 1000:05}/{number:08}-{chance.getrandbits(32)}.png"
    return (
        number, path, f"1:{number}:500000:{modified}", 500_000 + number % 1000, modified, modified,
        "png", 512, 768, "a1111", prompt, str(chance.getrandbits(32)), 28,
        chance.choice(_SAMPLERS), 7.0,
    )  # fmt: skip


def _add_models(library: Library, models: int) -> None:
    rows = (
        (n, "lora" if n % 3 else "checkpoint", f"model{n}", _digest(f"model{n}").hexdigest()[:10])
        for n in range(1, models + 1)
    )
    with library.writing() as connection:
        connection.executemany("INSERT INTO named_model VALUES (?, ?, ?, ?)", rows)


def _add_images(
    library: Library, rows: list[tuple[object, ...]], models: int, chance: random.Random
) -> None:
    named = sorted(
        (int(models * chance.random() ** 3) + 1, row[0], 1.0) for row in rows for _ in range(2)
    )
    with library.writing() as connection:
        connection.executemany(
            "INSERT INTO image (id, path, fingerprint, size, modified, catalogued, container,"
            " width, height, dialect, prompt, seed, steps, sampler, cfg_scale)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        connection.executemany(
            "INSERT OR IGNORE INTO image_model (model, image, weight) VALUES (?, ?, ?)", named
        )


def _file(number: int, tags: list[str], chance: random.Random) -> dict[str, object]:
    architecture, kind, size = chance.choice(_FAMILIES)
    name = "_".join(word.title() for word in chance.choice(tags).split()) + f"_v{number}"
    digest = _digest(f"file{number}").hexdigest()
    return {
        "id": number, "path": f"/models/{kind}/{number // 500:04}/{name}.safetensors",
        "name": f"{name}.safetensors", "fingerprint": f"1:{number}:{size}:1", "size": size + number,
        "modified": _START + number * 300.0, "first_seen": _START, "catalogued": _START,
        "container": "safetensors", "kind": kind, "architecture": architecture,
        "certainty": "certain", "dtype": chance.choice(("fp16", "fp32", "bf16")),
        "title": " ".join(chance.choices(tags, k=2)), "sha256": digest,
        "data_sha256": _digest(digest).hexdigest(), "autov1": digest[:8],
    }  # fmt: skip


def _add_files(library: Library, rows: list[dict[str, object]]) -> None:
    columns = [*rows[0]]
    insert = f"INSERT INTO file ({', '.join(columns)}) VALUES (:{', :'.join(columns)})"
    parts = ((row["id"], 0, row["kind"], "", f"{row['data_sha256']}") for row in rows)
    words = ((row["id"], words_of(f"{row['name']} {row['title']}")) for row in rows)
    tagged = [(row["id"], "favourite") for row in rows[::50]]
    found = [(row["id"], "KN101") for row in rows[::20]]
    with library.writing() as connection:
        connection.executemany(insert, rows)
        connection.executemany(
            "INSERT INTO part (file, number, role, prefix, digest) VALUES (?, ?, ?, ?, ?)", parts
        )
        connection.executemany("INSERT INTO file_words (rowid, words) VALUES (?, ?)", words)
        connection.executemany("INSERT INTO tag VALUES (?, ?)", tagged)
        connection.executemany("INSERT INTO finding VALUES (?, ?)", found)


def _digest(text: str) -> hashlib._Hash:
    return hashlib.sha256(text.encode())
