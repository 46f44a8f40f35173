"""Parts and precision: split and join against cp, quantising against the disk and against others.

Nobody else quantises a file without holding all of it, so the others' rates are those of their
functions alone, on one matrix in memory; kanna's is that of the whole process, with reading,
measuring the error and writing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from jobs import KANNA, Job, evict, interleave, row

MAKE_FLUX = """
import sys
from pathlib import Path
from kanna.demo import write_flux
write_flux(Path(sys.argv[1]), full=True)
"""
OTHERS = """
import json, time, warnings
warnings.simplefilter("ignore")
import bitsandbytes.functional as bnb, gguf, numpy, torch
from gguf.quants import quantize
weight = torch.randn(3072, 12288, generator=torch.Generator().manual_seed(1)) * 0.03
half, array = weight.bfloat16(), weight.numpy()
def scaled():
    scale = half.abs().max().float() / 448
    return (half.float() / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
def rate(function):
    function()
    start = time.perf_counter()
    function()
    return weight.numel() / (time.perf_counter() - start)
print(json.dumps({
    "fp8_scaled": ["torch, max and cast", rate(scaled)],
    "nf4": ["bitsandbytes quantize_4bit",
            rate(lambda: bnb.quantize_4bit(half, blocksize=64, quant_type="nf4"))],
    "q8_0": ["gguf quantize", rate(lambda: quantize(array, gguf.GGMLQuantizationType.Q8_0))],
}))
"""
FLUX_ELEMENTS = 11_901_408_320
# The input, the largest output, and its copy.
_ROOM = 24_000_000_000 + 2 * 13_000_000_000


def part_jobs(folder: Path, rounds: int) -> None:
    """Time taking a checkpoint apart and putting it together, against copying it."""
    source, parts, copy = folder / "out.safetensors", folder / "parts", folder / "copy"
    join = folder / "joined.safetensors"
    base = ["--force", "-q", "--no-hash"]
    split = Job("split", [*KANNA, "split", str(source), "-o", str(parts), *base])
    split.run()
    split.samples.clear()
    files = sorted(map(str, parts.glob("*.safetensors")))
    folders = Job("split --to diffusers", [
        *KANNA, "split", str(source), "--to", "diffusers", "-o", str(folder / "diffusers"), *base
    ])  # fmt: skip
    row("parts, 2.1 GB, each job in turns with cp", "wall, s", "cp and sync, s", "x cp", "peak MB")
    row(*["---"] * 5)
    for job in (split, Job("join", [*KANNA, "join", *files, "-o", str(join), *base]), folders):
        floor = Job("cp and sync", ["sh", "-c", f"cp {source} {copy} && sync {copy}"])
        interleave([floor, job], rounds)
        row(job.name, f"{job.wall:.2f}", f"{floor.wall:.2f}", f"{job.wall / floor.wall:.2f}",
            f"{job.memory:.0f}")  # fmt: skip
    print()


def quantize_jobs(folder: Path, rounds: int) -> None:
    """Time quantising a 24 GB file against reading it and writing the output."""
    if shutil.disk_usage(folder).free < _ROOM:
        sys.exit(f"quantising needs {_ROOM // 10**9} GB in {folder}")
    source, out, copy = folder / "flux-full.safetensors", folder / "small", folder / "copy"
    subprocess.run([sys.executable, "-c", MAKE_FLUX, str(source)], check=True)
    printed = subprocess.run([sys.executable, "-c", OTHERS], check=True, capture_output=True)
    others = json.loads(printed.stdout.splitlines()[-1])
    row("FLUX.1 dev, 24 GB bf16, not in the page cache", "wall, s", "x floor", "peak MB",
        "million numbers/s", "others alone, million numbers/s")  # fmt: skip
    row(*["---"] * 6)
    for to, (name, rate) in others.items():
        suffix = ".gguf" if to == "q8_0" else ".safetensors"
        target = out.with_suffix(suffix)
        job = Job(f"quantize --to {to}", [
            *KANNA, "quantize", str(source), "--to", to, "-o", str(target), "--force", "-q",
            "--no-hash",
        ], lambda: evict(source))  # fmt: skip
        job.run()
        job.samples.clear()
        blocks = str(target.stat().st_size // (4 << 20))
        dd = ["dd", "bs=4M", "status=none"]
        read = Job("dd, read", [*dd, f"if={source}", "of=/dev/null"], lambda: evict(source))
        save = [*dd, f"if={target}", f"of={copy}", f"count={blocks}", "conv=fsync"]
        write = Job("dd, write and fsync", save)
        interleave([read, write, job], rounds, warm=0)
        floor = read.wall + write.wall
        row(job.name, f"{job.wall:.1f}", f"{job.wall / floor:.2f}", f"{job.memory:.0f}",
            f"{FLUX_ELEMENTS / job.wall / 1e6:.0f}", f"{name}: {rate / 1e6:.0f}")  # fmt: skip
    print()
