"""A run in a process of its own that strikes itself down: ``killed_run.py FOLDER [STEP SIGNAL]``."""

from __future__ import annotations

import resource
import struct
import sys
from pathlib import Path
from unittest.mock import patch

from engine_chunks import small_chunks
from kanna.disk import InputFile
from kanna.disk.writing import OutputFile
from kanna.dtypes import FP32
from kanna.engine import RunOptions, run
from kanna.errors import KannaError
from kanna.model import FileRun, ModelFile, TensorInfo
from kanna.plan import Output, Plan
from striking import striking

COUNT, TENSORS = 250, 8
STEPS = ("reserve", "write", "sync", "publish", "close")


def make_plan(folder: Path) -> Plan:
    path = folder / "in"
    if not path.exists():
        path.write_bytes(struct.pack(f"<{COUNT * TENSORS}f", *range(COUNT * TENSORS)))
    file = InputFile(path)
    tensors = {
        f"t{i}": TensorInfo(f"t{i}", FP32, (COUNT,), FileRun(file, i * COUNT * 4, COUNT * 4))
        for i in range(TENSORS)
    }
    model = ModelFile(path=path, container="raw", size=file.size, tensors=tensors, files=(file,))
    return Plan(
        outputs=tuple(map(Output.of, tensors.values())),
        container="safetensors",
        inputs=(model,),
        digest_fields={"modelspec.hash_sha256": "0x"},
    )


def strike(step: int, signal: int) -> None:
    """Let the process send itself `signal` when it comes to its `step`-th step."""
    counted = striking(step, signal)

    for name in STEPS:
        patch.object(OutputFile, name, counted(getattr(OutputFile, name))).start()


def main(folder: str, step: str, signal: str) -> int:
    plan = make_plan(Path(folder))
    if signal == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(step), int(step)))
    else:
        strike(int(step), int(signal))
    try:
        with small_chunks(1024):
            run(plan, Path(folder, "out"), options=RunOptions(force=True, threads=2))
    except KannaError as error:
        sys.stderr.write(error.key)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
