"""Merging: against copying one input, against A1111's algorithm and against sd-mecha.

The SDXL files are full ones in fp16; of the FLUX files, which would not fit on most disks four at a
time, the inputs are holes and the output is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from jobs import KANNA, Job, interleave, row

MAKE_SDXL = """
import sys
from pathlib import Path
from kanna.demo import component_tensors
from kanna.dtypes import FP16
from kanna.engine import run
from kanna.plan import Output, Plan
PARTS = (
    ("model.diffusion_model.", "sdxl-unet-ldm"), ("first_stage_model.", "vae-kl-f8-c4-ldm"),
    ("conditioner.embedders.0.transformer.", "clip-l-hf"),
    ("conditioner.embedders.1.model.", "clip-g-openclip"),
)
seed = int(sys.argv[2])
tensors = [
    tensor
    for number, (prefix, row) in enumerate(PARTS)
    for tensor in component_tensors(prefix, row, seed=number + seed)
]
outputs = tuple(Output.of(tensor, dtype=FP16) for tensor in tensors)
run(Plan(outputs=outputs, container="safetensors", inputs=()), Path(sys.argv[1]))
"""
# modules/extras.py of AUTOMATIC1111's web UI without its user interface: all of it in memory, in
# the dtype in which it is stored.
A1111 = """
import sys, torch
from safetensors.torch import load_file, save_file
first, second, out = sys.argv[1:]
theta, other, alpha = load_file(first), load_file(second), 0.3
for key in theta:
    if key in other and "position_ids" not in key:
        theta[key] = ((1 - alpha) * theta[key]) + (alpha * other[key])
save_file(theta, out)
"""
MECHA = """
import os, sys
sys.stderr = open(os.devnull, "w")  # a bar that prints every tensor
import sd_mecha, torch
first, second, out = sys.argv[1:]
recipe = sd_mecha.weighted_sum(sd_mecha.model(first), sd_mecha.model(second), alpha=0.3)
sd_mecha.merge(recipe, output=out, output_dtype=torch.float16)
"""
_LARGEST = 49408 * 1280 * 4  # bytes in fp32: the token embedding of CLIP-G


def merge_jobs(folder: Path, flux: Path, rounds: int) -> None:
    """Time sums of models on the kernel, and methods that take whole tensors."""
    models = [folder / f"sdxl-{name}.safetensors" for name in "abc"]
    for seed, path in enumerate(models):
        if not path.exists():
            Job("make", [sys.executable, "-c", MAKE_SDXL, str(path), str(100 * seed)]).run()
    a, b, c = map(str, models)
    out, copy = str(folder / "merged.safetensors"), str(folder / "copy")
    floor = Job("cp and sync", ["sh", "-c", f"cp {a} {copy} && sync {copy}"])
    row("SDXL in fp16, 6.9 GB each, in turns with cp of one", "wall, s", "cp and sync, s", "x cp",
        "peak MB")  # fmt: skip
    row(*["---"] * 5)
    two, three = [a, b], [a, b, c]
    for name, given, hashed in (
        ("weighted sum of two", ["weighted-sum", *two, "--alpha", "0.3"], False),
        ("the same, inputs and output hashed", ["weighted-sum", *two, "--alpha", "0.3"], True),
        ("add difference of three", ["add-difference", *three], False),
    ):
        job = Job(name, _merge(given, out, hashed=hashed))
        interleave([floor, job], rounds)
        row(job.name, f"{job.wall:.2f}", f"{floor.wall:.2f}", f"{job.wall / floor.wall:.2f}",
            f"{job.memory:.0f}")  # fmt: skip
        floor.samples.clear()
    print()
    _others(a, b, out, folder)
    _whole_tensors(two, out)
    _flux(flux, out)


def _merge(given: list[str], out: str, *, hashed: bool) -> list[str]:
    base = [*KANNA, "merge", *given, "-o", out, "--force", "-q"]
    return base if hashed else [*base, "--no-hash"]


def _others(a: str, b: str, out: str, folder: Path) -> None:
    """Show what the programs in use need for the same weighted sum, once: it takes minutes."""
    other = str(folder / "other.safetensors")
    jobs = [
        Job("kanna", _merge(["weighted-sum", a, b, "--alpha", "0.3"], out, hashed=False)),
        Job("A1111's algorithm", [sys.executable, "-c", A1111, a, b, other]),
        Job("sd-mecha 1.1.5", [sys.executable, "-c", MECHA, a, b, other]),
    ]
    interleave(jobs, 1, warm=0)
    row("the same weighted sum elsewhere", "wall, s", "x kanna", "peak MB")
    row(*["---"] * 4)
    for job in jobs:
        row(job.name, f"{job.wall:.1f}", f"{job.wall / jobs[0].wall:.1f}", f"{job.memory:.0f}")
    Path(other).unlink()
    print()


def _whole_tensors(models: list[str], out: str) -> None:
    row("whole-tensor methods, SDXL", "wall, s", "peak MB", "x the largest tensor in fp32")
    row(*["---"] * 4)
    for method in ("slerp", "ties"):
        base = ["--base", models[0]] if method == "ties" else []
        job = Job(method, _merge([method, *models, *base], out, hashed=False))
        job.run()
        row(method, f"{job.wall:.1f}", f"{job.memory:.0f}", f"{job.memory * 2**20 / _LARGEST:.1f}")
    print()


def _flux(flux: Path, out: str) -> None:
    """Merge three models of 24 GB, of which two are the same: their bytes count all the same."""
    Path(out).unlink(missing_ok=True)
    one = str(flux)
    other = Path(out).with_name("flux-b.safetensors")
    third = Path(out).with_name("flux-c.safetensors")
    for path in (other, third):
        Job("copy", ["cp", "--sparse=always", one, str(path)]).run()
    job = Job("add difference", _merge(
        ["add-difference", one, str(other), str(third)], out, hashed=False))  # fmt: skip
    job.run()
    total = 4 * flux.stat().st_size
    row("three FLUX.1 files of 24 GB, sparse", "wall, s", "GB/s read and written", "peak MB")
    row(*["---"] * 4)
    row("add difference", f"{job.wall:.1f}", f"{total / job.wall / 1e9:.2f}", f"{job.memory:.0f}")
    for path in (other, third, Path(out)):
        path.unlink()
    print()
