"""Run the kernel's tests on a build with AddressSanitizer and UndefinedBehaviorSanitizer.

A copy of the package goes to a temporary folder, the instrumented extension into it, and the tests
run with that copy first on the path. Needs gcc or clang (`CC`) on Linux.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "kanna"
TESTS = (
    "test_kernel.py",
    "test_kernel_sums.py",
    "test_kernel_blocks.py",
    "test_kernel_codebooks.py",
    "test_kernel_measures.py",
    "test_kernel_twins.py",
)
COMPILER = os.environ.get("CC", "cc")
FLAGS = (
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    *("-shared", "-fPIC", "-std=c11", "-O1", "-g", "-ffp-contract=off"),
    *("-Wall", "-Wextra", "-Werror", "-DPy_LIMITED_API=0x030B0000"),
    f"-I{sysconfig.get_path('include')}",
)
RUNTIMES = ("libasan.so", "libclang_rt.asan-x86_64.so", "libclang_rt.asan-aarch64.so")


def main() -> int:
    """Build, run the tests, and return their exit code."""
    with tempfile.TemporaryDirectory() as folder:
        extension = build(Path(folder) / "kanna")
        environment = {
            **{name: value for name, value in os.environ.items() if name != "KANNA_KERNEL"},
            "PYTHONPATH": folder,
            "PYTHONMALLOC": "malloc",  # every buffer is an allocation of its own, guarded around
            "ASAN_OPTIONS": "detect_leaks=0",  # Python keeps what it has until it ends
            "LD_PRELOAD": libraries(),
        }
        loaded = python(environment, "-c", "from kanna import _kernel; print(_kernel.__file__)")
        if loaded.stdout.decode().strip() != str(extension):
            sys.exit(f"the tests would not run on {extension}")
        tests = (str(ROOT / "tests" / name) for name in TESTS)
        options = ("-q", "-p", "no:cacheprovider", "--capture=sys")  # lets reports through
        return python(environment, "-m", "pytest", *options, *tests, stdout=None).returncode


def build(package: Path) -> Path:
    """Copy the package, compile the extension into the copy, and return the extension's path."""
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    extension = package / "_kernel.abi3.so"
    source = package / "_kernel.c"
    subprocess.run([COMPILER, *FLAGS, str(source), "-o", str(extension)], check=True)
    return extension


def libraries() -> str:
    """Return what has to be loaded before Python.

    AddressSanitizer itself; and the C++ library, which it would else not find before the first
    exception is thrown inside torch.
    """
    return f"{library(*RUNTIMES)} {library('libstdc++.so.6', 'libstdc++.so')}"


def library(*names: str) -> Path:
    """Return the compiler's library of the first of these names that it has."""
    for name in names:
        command = [COMPILER, f"-print-file-name={name}"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        path = Path(answer.stdout.strip())
        if path.is_absolute() and path.exists():
            return path
    sys.exit(f"{COMPILER} has no {' or '.join(names)}")


def python(
    environment: dict[str, str], *arguments: str, stdout: int | None = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    """Run this Python in that environment."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, stdout=stdout, check=False)


if __name__ == "__main__":
    sys.exit(main())
