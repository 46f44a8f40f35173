"""Builds the one C extension; everything else is in pyproject.toml.

The extension is optional: without a compiler kanna installs all the same and computes through torch
when that is there. ``KANNA_BUILD_STRICT=1`` turns warnings into errors and a failed build into a
failed install; the project's own checks use it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

strict = os.environ.get("KANNA_BUILD_STRICT") == "1"
if sys.platform == "win32":
    flags = ["/O2", "/std:c11", "/fp:precise"]
else:
    # Products and sums are rounded one by one; the other two let loops with floats become vectors.
    flags = ["-O3", "-std=c11", "-fvisibility=hidden", "-ffp-contract=off"]
    flags += ["-fno-math-errno", "-fno-trapping-math"]
    if strict:
        flags += ["-Wall", "-Wextra", "-Werror"]

setup(
    ext_modules=[
        Extension(
            "kanna._kernel",
            sources=["src/kanna/_kernel.c"],
            depends=[str(header) for header in Path("src/kanna").glob("_kernel_*.h")],
            extra_compile_args=flags,
            py_limited_api=True,
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            optional=not strict,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
