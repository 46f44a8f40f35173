"""Measure kanna as its users meet it: whole processes, as ratios within one run.

``make bench`` prints the table of docs/benchmarks.md. Every job runs beside its floor (what the
machine does at best with the same bytes) and beside the plain idiom, in turns, so that a slow
moment of the machine hits all of them. The files are made up: real
names and shapes, repeated numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from jobs import KANNA, Job, evict, interleave, row
from library import library_jobs
from merges import merge_jobs
from precision import part_jobs, quantize_jobs

IDIOM = """
import sys, torch
from safetensors.torch import save_file
state = torch.load(sys.argv[1], weights_only=True, mmap=sys.argv[3] == "mmap")["state_dict"]
state = {k: v for k, v in state.items() if "model_ema" not in k}
kept = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
save_file(kept, sys.argv[2])
"""
# In a process of its own: a child starts with the peak memory of its parent.
MAKE = """
import sys
from pathlib import Path
from kanna.demo import write_checkpoint, write_flux, write_vae
flux, ckpt, vae = map(Path, sys.argv[1:])
vae.exists() or write_vae(vae)
flux.exists() or write_flux(flux)
ckpt.exists() or write_checkpoint(ckpt, full=True)
"""
SHA256 = """
import hashlib, sys
for path in sys.argv[1:]:
    print(hashlib.file_digest(open(path, "rb"), "sha256").hexdigest())
"""
MANY, MANY_SIZE = 20, 100_000_000


def header_jobs(flux: Path, ckpt: Path, rounds: int) -> None:
    """Time what reads headers only, against an interpreter that does nothing."""
    empty = Job("python -c pass", [sys.executable, "-c", "pass"])
    jobs = [
        empty,
        Job("kanna --version", [*KANNA, "--version"]),
        Job("inspect, FLUX 24 GB safetensors", [*KANNA, "inspect", str(flux)]),
        Job("inspect, SD1.5 7.7 GB ckpt", [*KANNA, "inspect", str(ckpt)]),
    ]
    interleave(jobs, rounds)
    cold = [
        Job(job.name, job.command, lambda p=path: evict(p))  # type: ignore[misc]
        for job, path in ((jobs[2], flux), (jobs[3], ckpt))
    ]
    interleave(cold, 2, warm=0)
    reads = {job.name: f"{job.disk / 1e6:.2f} MB" for job in cold}
    row("header jobs", "wall, ms", "x `python -c pass`", "peak MB", "read when cold")
    row(*["---"] * 5)
    for job in jobs:
        row(job.name, f"{job.wall * 1e3:.0f}", f"{job.wall / empty.wall:.1f}", f"{job.memory:.0f}",
            reads.get(job.name, ""))  # fmt: skip
    print()


def convert_jobs(ckpt: Path, folder: Path, rounds: int) -> None:
    """Time the main job against its floor (read, write, hash) and against the plain idiom."""
    out, other, copy = folder / "out.safetensors", folder / "other.safetensors", folder / "copy"
    convert = [*KANNA, "convert", str(ckpt), "--for", "generation", "-o", str(out), "--force", "-q"]
    subprocess.run(convert, check=True)
    size = out.stat().st_size
    blocks = str(2 * size // (4 << 20))
    dd = ["dd", "bs=4M", "status=none"]
    read = Job("dd, read", [*dd, f"if={ckpt}", "of=/dev/null", f"count={blocks}"])
    write = Job("dd, write and fsync", [*dd, f"if={out}", f"of={copy}", "conv=fsync"])
    sha = Job("sha256", [sys.executable, "-c", SHA256, str(out)])
    plain = Job("convert, no hash", [*convert, "--no-hash"])
    hashed = Job("convert", convert)
    full = Job("convert, --verify full", [*convert, "--verify", "full"])
    mmap = Job("idiom, mmap", [sys.executable, "-c", IDIOM, str(ckpt), str(other), "mmap"])
    load = Job("idiom", [sys.executable, "-c", IDIOM, str(ckpt), str(other), "load"])
    interleave([read, write, sha, plain, hashed, full, mmap, load], rounds)
    floor = read.wall + write.wall
    row(".ckpt fp32+EMA 7.7 GB → fp16 pruned 2.1 GB", "wall, s", "x floor", "peak MB")
    row(*["---"] * 4)
    row("floor: dd read of the needed bytes + write of the output", f"{floor:.2f}", "1.00", "")
    row("the same + one thread's sha256 of the output", f"{floor + sha.wall:.2f}",
        f"{(floor + sha.wall) / floor:.2f}", "")  # fmt: skip
    for job in (plain, hashed, full):
        row(f"kanna {job.name}", f"{job.wall:.2f}", f"{job.wall / floor:.2f}", f"{job.memory:.0f}")
    row(
        "kanna convert against the floor with sha256",
        "",
        f"{hashed.wall / (floor + sha.wall):.2f}",
        "",
    )
    row("torch.load(mmap) → half → save_file", f"{mmap.wall:.2f}", f"{mmap.wall / floor:.2f}",
        f"{mmap.memory:.0f}")  # fmt: skip
    row("torch.load → half → save_file", f"{load.wall:.2f}", f"{load.wall / floor:.2f}",
        f"{load.memory:.0f}")  # fmt: skip
    print()


def cold_jobs(ckpt: Path, folder: Path, rounds: int) -> None:
    """Time the main job with the input outside the page cache, against reading it from there."""
    out = folder / "cold.safetensors"
    blocks = str(2 * (folder / "out.safetensors").stat().st_size // (4 << 20))
    command = [*KANNA, "convert", str(ckpt), "--for", "generation", "-o", str(out), "--force", "-q"]
    dd = ["dd", "bs=4M", "status=none", f"if={ckpt}", "of=/dev/null", f"count={blocks}"]
    read = Job("dd, cold read of the needed bytes", dd, lambda: evict(ckpt))
    plain = Job("convert, no hash", [*command, "--no-hash"], lambda: evict(ckpt))
    hashed = Job("convert", command, lambda: evict(ckpt))
    # one disk serves reading and writing above; an output in memory shows the reading alone
    memory = Path("/dev/shm/kanna-bench.safetensors")
    aside = [str(memory) if word == str(out) else word for word in command]
    alone = Job("convert, no hash, output in memory", [*aside, "--no-hash"], lambda: evict(ckpt))
    jobs = [read, plain, hashed, *([alone] if memory.parent.is_dir() else [])]
    interleave(jobs, rounds, warm=0)
    memory.unlink(missing_ok=True)
    row("the same, input not in the page cache", "wall, s", "x cold read", "peak MB")
    row(*["---"] * 4)
    for job in jobs:
        row(job.name, f"{job.wall:.2f}", f"{job.wall / read.wall:.2f}", f"{job.memory:.0f}")
    print()


def copy_jobs(folder: Path, rounds: int) -> None:
    """Time jobs that change no number against copying the output."""
    source, out, copy = folder / "out.safetensors", folder / "same.safetensors", folder / "copy"
    base = [*KANNA, "convert", str(source), "--force", "-q", "--no-hash"]
    vae = [*base, "--vae", str(folder / "vae.safetensors"), "--vae-dtype", "fp16", "-o", str(out)]
    row("no number changes, 2.1 GB, each job in turns with cp", "wall, s", "cp and sync, s", "x cp",
        "peak MB")  # fmt: skip
    row(*["---"] * 5)
    for job in (
        Job("prune, drop EMA", [*base, "--prune", "--ema", "drop", "-o", str(out)]),
        Job("bake a VAE", vae),
        Job("safetensors → ckpt", [*base, "-o", str(folder / "same.ckpt")]),
    ):
        floor = Job("cp and sync", ["sh", "-c", f"cp {source} {copy} && sync {copy}"])
        interleave([floor, job], rounds)
        row(job.name, f"{job.wall:.2f}", f"{floor.wall:.2f}", f"{job.wall / floor.wall:.2f}",
            f"{job.memory:.0f}")  # fmt: skip
    print()


def hash_jobs(ckpt: Path, folder: Path, rounds: int) -> None:
    """Time every digest against SHA-256 alone, and many files against one by one."""
    command = [*KANNA, "hash", "-q", "--no-cache"]
    row("all digests, one read, each in turns with its floor", "wall, s", "sha256 alone, s",
        "x sha256 alone", "peak MB")  # fmt: skip
    row(*["---"] * 5)
    for name, source in (("7.7 GB ckpt", ckpt), ("2.1 GB safetensors", folder / "out.safetensors")):
        floor = Job("Python's sha256 alone", [sys.executable, "-c", SHA256, str(source)])
        whole = Job(f"kanna hash, {name}", [*command, str(source)])
        interleave([floor, whole], rounds)
        row(whole.name, f"{whole.wall:.2f}", f"{floor.wall:.2f}", f"{whole.wall / floor.wall:.2f}",
            f"{whole.memory:.0f}")  # fmt: skip
    print()
    files = []
    for number in range(MANY):
        files.append(str(folder / f"many-{number}.safetensors"))
        write_small(Path(files[-1]), number)
    alone = Job("Python's sha256 alone, one by one", [sys.executable, "-c", SHA256, *files])
    one = Job("kanna hash --threads 1", [*command, "--threads", "1", *files])
    cores = Job("kanna hash, all cores", [*command, *files])
    interleave([alone, one, cores], rounds)
    row(f"{MANY} files of {MANY_SIZE // 10**6} MB", "wall, s", "times as fast as one by one",
        "peak MB")  # fmt: skip
    row(*["---"] * 4)
    for job in (alone, one, cores):
        row(job.name, f"{job.wall:.2f}", f"{one.wall / job.wall:.2f}", f"{job.memory:.0f}")
    print()


def write_small(path: Path, number: int) -> None:
    """Write a safetensors file of one tensor of noise, repeated."""
    block = random.Random(number).randbytes(1_000_000)
    entry = {"dtype": "U8", "shape": [MANY_SIZE], "data_offsets": [0, MANY_SIZE]}
    header = json.dumps({"w": entry}).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for _ in range(MANY_SIZE // len(block)):
            file.write(block)


def make_room(folder: Path, kept: set[Path]) -> None:
    """Delete what the next jobs do not need: each of them fills tens of gigabytes."""
    for other in set(folder.iterdir()) - kept:
        shutil.rmtree(other) if other.is_dir() else other.unlink()


def main() -> None:
    """Make the files, run all jobs, print the tables."""
    # modules are compiled ahead, as an installed package's are
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the files for the next time")
    args = parser.parse_args()
    args.folder.mkdir(exist_ok=True)
    flux, ckpt, vae = (
        args.folder / n for n in ("flux.safetensors", "sd15.ckpt", "vae.safetensors")
    )
    subprocess.run([sys.executable, "-c", MAKE, str(flux), str(ckpt), str(vae)], check=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, {time.strftime('%Y-%m-%d')}; medians of {args.rounds} interleaved rounds\n")
    header_jobs(flux, ckpt, max(args.rounds, 7))
    convert_jobs(ckpt, args.folder, args.rounds)
    cold_jobs(ckpt, args.folder, args.rounds)
    copy_jobs(args.folder, max(args.rounds, 5))
    hash_jobs(ckpt, args.folder, args.rounds)
    part_jobs(args.folder, args.rounds)
    make_room(args.folder, {flux, ckpt, vae})
    merge_jobs(args.folder, flux, args.rounds)
    make_room(args.folder, {flux, ckpt, vae})
    quantize_jobs(args.folder, min(args.rounds, 2))
    make_room(args.folder, {flux, ckpt, vae} if args.keep else set())
    library_jobs(args.folder.absolute(), args.rounds)
    if not args.keep:
        shutil.rmtree(args.folder)


if __name__ == "__main__":
    main()
