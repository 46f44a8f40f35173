"""Made-up model files with the real names and shapes: for `kanna demo` and the benchmarks.

The numbers are a block of normal noise, repeated. The checkpoint is what people have from 2022:
SD 1 in fp32 with its EMA, a Lightning wrapper, schedule buffers, and position ids that a merge
averaged.
"""

from __future__ import annotations

import math
import random
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from kanna.dtypes import BF16, FP32, WORDS
from kanna.engine import run
from kanna.errors import KannaError
from kanna.families import row_called, tables
from kanna.families.schedule import cumulative_alphas, scaled_linear_betas
from kanna.formats.layout import Spec, arrange
from kanna.identify.ema import copy_name
from kanna.model import Extent, TensorInfo
from kanna.plan import Output, Plan
from kanna.views.given import Given

_BLOCK: Final = 1 << 20
_SMALL: Final = 1 << 16  # larger tensors are holes in a sparse checkpoint
_MERGE: Final = 0.1  # the weight of the merge that damaged the position ids
_TOKENS: Final = 77
_LIGHTNING: Final = {
    "epoch": 0, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "callbacks": {},
    "optimizer_states": [], "lr_schedulers": [],
}  # fmt: skip
_SD1: Final = (
    ("model.diffusion_model.", "sd1-unet-ldm"),
    ("first_stage_model.", "vae-kl-f8-c4-ldm"),
    ("cond_stage_model.transformer.", "clip-l-hf"),
)
_IDS: Final = "cond_stage_model.transformer.text_model.embeddings.position_ids"


@dataclass(frozen=True, slots=True)
class Noise:
    """Tensor data that no file holds: plausible fp32 weights, the same on every machine."""

    seed: int
    whole: bool = False

    def extent(self) -> Extent | None:
        """Return None: the bytes are made, not read."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` with the bytes from `start`."""
        block = _noise()
        place = (start + self.seed * 4096) % _BLOCK
        done = 0
        while done < len(out):
            piece = block[place : place + len(out) - done]
            out[done : done + len(piece)] = piece
            done += len(piece)
            place = 0


def write_checkpoint(path: Path, *, full: bool) -> None:
    """Write the damaged SD 1.5 checkpoint: 7.7 GB, or sparse with only its small tensors filled.

    Raises:
        KannaError: the disk is full, or `path` exists.
    """
    tensors = list(checkpoint_tensors())
    if full:
        outputs = tuple(map(Output.of, tensors))
        run(Plan(outputs=outputs, container="ckpt", inputs=(), extras=_LIGHTNING), path)
    else:
        _write_sparse(path, tensors)


def write_vae(path: Path) -> None:
    """Write a VAE for SD 1 in fp32, 335 MB, under the names that VAE files have.

    Raises:
        KannaError: the disk is full, or `path` exists.
    """
    outputs = tuple(
        Output.of(tensor) for tensor in component_tensors("", "vae-kl-f8-c4-ldm", seed=7)
    )
    run(Plan(outputs=outputs, container="safetensors", inputs=(), metadata={"format": "pt"}), path)


def write_flux(path: Path, *, full: bool = False) -> None:
    """Write a FLUX.1 dev file in bf16, 24 GB; its data is one hole unless `full`."""
    tensors = list(component_tensors("", "flux-bfl", seed=0))
    if full:
        outputs = tuple(Output.of(tensor, dtype=BF16) for tensor in tensors)
        run(Plan(outputs=outputs, container="safetensors", inputs=()), path)
        return
    specs = [(tensor.name, BF16, tensor.shape) for tensor in tensors]
    layout = arrange("safetensors", specs, metadata={}, digest_fields={}, extras={})
    write_pieces(path, layout.size, layout.blocks("", ()))


def checkpoint_tensors() -> Iterator[TensorInfo]:
    """Yield the tensors of the checkpoint in the order in which training wrote them."""
    yield from _schedule()
    models = [list(component_tensors(*part, seed=number)) for number, part in enumerate(_SD1)]
    unet = models[0]
    yield from unet
    yield TensorInfo("model_ema.decay", FP32, (), Given(struct.pack("<f", 0.9999)))
    yield TensorInfo("model_ema.num_updates", WORDS["int32"], (), Given(struct.pack("<i", 470000)))
    for number, tensor in enumerate(unet):
        yield TensorInfo(copy_name(tensor.name), FP32, tensor.shape, Noise(number + 11))
    yield from models[1]
    yield _damaged_ids()
    yield from models[2]


def component_tensors(prefix: str, row: str, *, seed: int) -> Iterator[TensorInfo]:
    """Yield made-up tensors for every name of a row of the tables."""
    required = row_called(row).required
    for number, (name, rule) in enumerate(required.items()):
        shape = tuple(_size(size) for size in rule or ())
        yield TensorInfo(prefix + name, FP32, shape, Noise(number * 3 + seed))


def _size(size: int | Sequence[int] | None) -> int:
    """Return a size that a rule allows: the first of several is the plain variant's."""
    return size or 1 if size is None or isinstance(size, int) else size[0]


def _damaged_ids() -> TensorInfo:
    """Return position ids as a weighted sum of two models leaves them, in fp32 arithmetic."""
    one, other = _fp32(1 - _MERGE), _fp32(_MERGE)
    ids = [_fp32(_fp32(one * n) + _fp32(other * n)) for n in range(_TOKENS)]
    return TensorInfo(_IDS, FP32, (1, _TOKENS), Given(struct.pack(f"<{_TOKENS}f", *ids)))


def _fp32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _schedule() -> Iterator[TensorInfo]:
    """Yield the buffers of the noise schedule (CompVis latent-diffusion, ``register_schedule``)."""
    junk = tables()["everywhere"]["junk"]
    betas = scaled_linear_betas(**next(row["standard"] for row in junk if "standard" in row))
    alphas = cumulative_alphas(betas)
    for name, values in {
        "betas": betas,
        "alphas_cumprod": alphas,
        "alphas_cumprod_prev": [1.0, *alphas[:-1]],
        "sqrt_alphas_cumprod": [math.sqrt(a) for a in alphas],
        "sqrt_one_minus_alphas_cumprod": [math.sqrt(1 - a) for a in alphas],
        "log_one_minus_alphas_cumprod": [math.log(1 - a) for a in alphas],
        "sqrt_recip_alphas_cumprod": [math.sqrt(1 / a) for a in alphas],
        "sqrt_recipm1_alphas_cumprod": [math.sqrt(1 / a - 1) for a in alphas],
    }.items():
        yield TensorInfo(
            name, FP32, (len(values),), Given(struct.pack(f"<{len(values)}f", *values))
        )


def _write_sparse(path: Path, tensors: list[TensorInfo]) -> None:
    """Write a checkpoint whose large tensors are holes: full size, next to no disk."""
    specs: list[Spec] = [(t.name, t.dtype, t.shape) for t in tensors]
    layout = arrange("ckpt", specs, metadata={}, digest_fields={}, extras=_LIGHTNING)
    small = [tensor.read() if tensor.nbytes <= _SMALL else None for tensor in tensors]
    checksums = [
        _checksum_of_zeros(tensor.nbytes) if data is None else zlib.crc32(data)
        for tensor, data in zip(tensors, small, strict=True)
    ]
    pieces = [(at, data) for at, data in zip(layout.offsets, small, strict=True) if data]
    write_pieces(path, layout.size, [*pieces, *layout.blocks("", checksums)])


def write_pieces(path: Path, size: int, pieces: Iterable[tuple[int, bytes]]) -> None:
    """Write a new file of `size` bytes that is a hole but for `pieces`.

    Raises:
        KannaError: it cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.truncate(size)
            for offset, data in pieces:
                file.seek(offset)
                file.write(data)
    except OSError as error:
        reason = error.strerror or error
        raise KannaError("disk.unwritable", path=path, reason=reason) from error


@cache
def _checksum_of_zeros(nbytes: int) -> int:
    checksum, zeros = 0, bytes(_BLOCK)
    for start in range(0, nbytes, _BLOCK):
        checksum = zlib.crc32(zeros[: nbytes - start], checksum)
    return checksum


@cache
def _noise() -> bytes:
    """Return a block of normal noise of standard deviation 0.02, which fp16 holds well."""
    source = random.Random(1)  # noqa: S311 - numbers for a demonstration
    values = array("f", (source.gauss(0, 0.02) for _ in range(_BLOCK // 4)))
    return values.tobytes()
