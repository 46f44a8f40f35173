"""The source of kanna as syntax trees: what the tests about the source itself look through."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "kanna"


@cache
def modules() -> dict[str, ast.Module]:
    """Every module's tree, by its path below the package."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Every node of every module outside the messages, with ``module:line``."""
    for name, tree in modules().items():
        if not name.startswith("messages/"):
            for node in ast.walk(tree):
                yield f"{name}:{getattr(node, 'lineno', 0)}", node
