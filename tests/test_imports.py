"""Nothing in kanna can run what a file holds, and opening files loads no heavy library."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from containers import small
from source_tree import nodes

RUNS_CODE = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
HEAVY = {"torch", "numpy"}
DOORS = ("_kernel_torch/", "tensor_math/")  # the packages behind which torch stays
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").split(".")[0]]
    return []


def test_no_module_can_unpickle_or_load_code() -> None:
    assert not [where for where, node in nodes() if RUNS_CODE & set(imported(node))]


def test_no_module_but_its_door_imports_a_heavy_library() -> None:
    found = [where for where, node in nodes() if HEAVY & set(imported(node))]
    assert not [where for where in found if not where.startswith(DOORS)]


def test_nothing_calls_what_runs_text() -> None:
    calls = [
        where
        for where, node in nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in FORBIDDEN_CALLS
    ]
    assert not calls


def test_opening_files_of_every_container_loads_no_heavy_library(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(small("w"))
    script = (
        "import sys; from kanna.formats import FORMATS, open_model;"
        "[row.load() for row in FORMATS.values()];"
        "import kanna.formats.folder;"
        f"open_model({str(path)!r}).close();"
        "print(*sorted({'torch', 'numpy', 'pickle', 'click', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parent.parent / "src")},
    )
    assert done.stdout.split() == []
