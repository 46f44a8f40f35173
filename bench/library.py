"""The library: cold and unchanged scans, and searches in one of a million pictures.

Files are sparse, with the headers of real models and metadata of their own; pictures of the large
tree are empty, because an unchanged one is never opened.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from jobs import KANNA, Job, row

sys.path.append(str(Path(__file__).parent.parent / "tests"))

_PER_FOLDER = 500
# In a process of its own: a child starts with the peak memory of its parent.
_WRITE = """
import sys
from pathlib import Path
import library
getattr(library, "write_" + sys.argv[1])(Path(sys.argv[2]), int(sys.argv[3]))
"""
_STAT = """
import os, sys
waiting, count = [sys.argv[1]], 0
while waiting:
    with os.scandir(waiting.pop()) as entries:
        for entry in entries:
            if entry.is_dir():
                waiting.append(entry.path)
            else:
                entry.stat()
                count += 1
"""


def write_models(folder: Path, count: int) -> None:
    """Write `count` sparse models: real layouts, each with a name in its metadata."""
    from model_headers import headers

    layouts = [*map(_layout, headers())]
    chance = random.Random(1)
    for number in range(count):
        rest, size = chance.choice(layouts)
        said = json.dumps({"ss_output_name": f"model {number}", "format": "pt"})
        raw = f'{{"__metadata__": {said}, {rest}'.encode()
        path = folder / f"{number // _PER_FOLDER:04}" / f"model-{number:06}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(struct.pack("<Q", len(raw)) + raw)
        os.truncate(path, 8 + len(raw) + size)


def _layout(name: str) -> tuple[str, int]:
    """Return the header of a model without its opening brace, and the size of its tensors."""
    from model_headers import headers

    entries, end = {}, 0
    for tensor in headers()[name].tensors.values():
        entries[tensor.name] = {
            "dtype": tensor.dtype.safetensors, "shape": list(tensor.shape),
            "data_offsets": [end, end + tensor.nbytes],
        }  # fmt: skip
        end += tensor.nbytes
    return json.dumps(entries)[1:], end


def write_pictures(folder: Path, count: int) -> None:
    """Write `count` pictures of one pixel with A1111's texts."""
    for number in range(count):
        text = (
            f"masterpiece, 1girl, token{number // 4}\nNegative prompt: lowres\nSteps: 28, "
            f"Sampler: Euler a, CFG scale: 7, Seed: {number}, Size: 512x768, "
            f"Model hash: {number % 97:010x}, Model: model{number % 97}"
        )
        pieces = (
            b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0),
            b"tEXtparameters\0" + text.encode(), b"IDAT" + zlib.compress(bytes(4)), b"IEND",
        )  # fmt: skip
        path = folder / f"{number // _PER_FOLDER:04}" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, pieces)))


def _chunk(piece: bytes) -> bytes:
    return struct.pack(">I", len(piece) - 4) + piece + struct.pack(">I", zlib.crc32(piece))


def scan_jobs(folder: Path, models: int, pictures: int, rounds: int) -> None:
    """Time a first scan, and one where nothing changed, of models and of pictures."""
    row("scan without hashes", "files", "wall, s", "files per s", "peak MB of one process")
    row(*["---"] * 5)
    for name, count in (("models", models), ("pictures", pictures)):
        tree, library = folder / name, folder / f"{name}.sqlite3"
        if not tree.exists():
            subprocess.run([sys.executable, "-c", _WRITE, name, str(tree), str(count)], check=True,
                           cwd=Path(__file__).parent)  # fmt: skip
        scan = [*KANNA, "library", "scan", "--no-hash", "-q", "--library", str(library)]
        first = Job(f"{name}, first scan", scan, partial(begin, library, tree))
        again = Job(f"{name}, nothing changed", scan)
        first.run()
        for _ in range(rounds):
            again.run()
        for job in (first, again):
            row(job.name, f"{count:,}", f"{job.wall:.2f}", f"{count / job.wall:,.0f}",
                f"{job.memory:.0f}")  # fmt: skip
    print()


def begin(library: Path, tree: Path) -> None:
    """Make a library anew that knows one folder."""
    for ending in ("", "-wal", "-shm"):
        Path(f"{library}{ending}").unlink(missing_ok=True)
    subprocess.run([*KANNA, "library", "add", str(tree), "-q", "--library", library], check=True)


def stat_jobs(folder: Path, pictures: int, rounds: int) -> None:
    """Time a scan of a million unchanged pictures against looking at each of them."""
    from kanna.catalog.roots import roots_of
    from kanna.catalog.store import Library
    from kanna.catalog.walking import Walk

    tree, place = folder / "many", folder / "many.sqlite3"
    if not tree.exists():
        for number in range(pictures):
            path = tree / f"{number // 1000:05}" / f"{number:08}.png"
            if number % 1000 == 0:
                path.parent.mkdir(parents=True)
            path.touch()
    begin(place, tree)
    with Library(place) as library, library.writing() as connection:
        walk = Walk(roots_of(library))
        connection.executemany(
            "INSERT INTO image (root, path, fingerprint, size, modified, catalogued)"
            " VALUES (?, ?, ?, ?, ?, 1)",
            ((s.root, s.path, s.fingerprint, s.size, s.mtime_ns / 1e9)
             for s in walk.through(str(tree))),
        )  # fmt: skip
    floor = Job("scandir and stat, Python", [sys.executable, "-c", _STAT, str(tree)])
    scan = Job("kanna library scan, nothing changed",
               [*KANNA, "library", "scan", "-q", "--library", str(place)])  # fmt: skip
    for _ in range(rounds):
        floor.run()
        scan.run()
    row(f"{pictures:,} pictures that did not change", "wall, s", "x floor", "peak MB")
    row(*["---"] * 4)
    for job in (floor, scan):
        row(job.name, f"{job.wall:.2f}", f"{job.wall / floor.wall:.1f}", f"{job.memory:.0f}")
    print()


def search_jobs(folder: Path, files: int, images: int) -> None:
    """Time searches in a library of made-up rows."""
    from library_rows import fill_files, fill_images

    from kanna.catalog.store import Library

    place = folder / "search.sqlite3"
    if not place.exists():
        with Library(place) as library:
            fill_files(library, files)
            fill_images(library, images, images // 4)
    row(f"search, {files:,} models and {images:,} pictures", "median, ms", "slowest, ms")
    row(*["---"] * 3)
    for name, ask in _questions(place):
        times = sorted(_seconds(ask) for _ in range(7))[:-1]
        row(name, f"{statistics.median(times) * 1e3:.0f}", f"{times[-1] * 1e3:.0f}")
    print()


def _questions(place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    from kanna.api.library_asking import FindOptions, library_find
    from kanna.catalog.image_search import ImageQuestion, search_images
    from kanna.catalog.store import Library

    def newest(options: FindOptions) -> object:
        return library_find(options, sort="modified", limit=50, library=place)

    yield "models: a frequent word, newest first", lambda: newest(FindOptions(words="ka"))
    for name, options in (
        ("models: two words", FindOptions(words="ka ren")),
        ("models: a kind of a family", FindOptions(kinds=("lora",), families=("sdxl",))),
        ("models: a tag and a finding", FindOptions(tags=("favourite",), findings=("KN101",))),
    ):
        yield name, lambda o=options: library_find(o, limit=50, library=place)  # type: ignore[misc]
    with Library(place) as library:
        for name, question in (
            ("pictures: a frequent word", ImageQuestion(words="masterpiece")),
            ("pictures: a rare word", ImageQuestion(words="token777")),
            ("pictures: three words", ImageQuestion(words="1girl solo 美少女")),
            ("pictures: a word and not another", ImageQuestion(words="1girl -solo")),
            ("pictures: a frequent beginning", ImageQuestion(words="ma*")),
            ("pictures: a LoRA and a word", ImageQuestion(lora="model2", words="kami")),
            (
                "pictures: a LoRA and three words",
                ImageQuestion(lora="model2", words="1girl solo 美少女"),
            ),
        ):
            yield name, lambda q=question: search_images(library, q, limit=50)  # type: ignore[misc]


def _seconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def library_jobs(folder: Path, rounds: int, scale: float = 1.0) -> None:
    """Run all jobs; `scale` makes everything smaller."""
    os.environ["KANNA_CACHE"] = str(folder / "cache")
    scan_jobs(folder, int(10_000 * scale), int(10_000 * scale), rounds)
    stat_jobs(folder, int(1_000_000 * scale), rounds)
    search_jobs(folder, int(100_000 * scale), int(1_000_000 * scale))


def main() -> None:
    """Run the jobs of the library alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--keep", action="store_true", help="keep the files for the next time")
    args = parser.parse_args()
    args.folder.mkdir(exist_ok=True)
    library_jobs(args.folder.absolute(), args.rounds, args.scale)
    if not args.keep:
        shutil.rmtree(args.folder)


if __name__ == "__main__":
    main()
