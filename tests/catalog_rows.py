"""Rows of a library without any files: what tests of questions ask about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kanna.catalog.indexing import index_words
from kanna.catalog.store import Library
from kanna.catalog.wording import words_of

START = 1_700_000_000.0


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def add_root(library: Library, path: str, role: str = "active", kind: str | None = None) -> int:
    with library.writing() as connection:
        connection.execute(
            "INSERT INTO source (path, role, content, added) VALUES (?, ?, 'models', 0)",
            (path, role),
        )
        sql = "INSERT INTO root (path, source, role, kind, added) VALUES (?, ?, ?, ?, 0)"
        return int(connection.execute(sql, (path, path, role, kind)).lastrowid or 0)


def add_file(
    library: Library, path: str, *, tags: Iterable[str] = (), findings: Iterable[str] = (),
    parts: Iterable[dict[str, Any]] = (), missing_parts: Iterable[str] | None = None,
    origins: Iterable[tuple[str, str | None, str | None]] = (), **columns: Any,
) -> int:  # fmt: skip
    """Add a model; `parts` are those of the identity document, each with its `digest`."""
    number = library.rows("SELECT count(*) FROM file")[0][0] + 1
    row = {
        "path": path, "name": Path(path).name, "fingerprint": f"1:{1000 + number}:1:1",
        "size": 1000, "modified": START + number, "first_seen": START + number,
        "container": "safetensors", "kind": "checkpoint", "architecture": "sd1", "dtype": "fp16",
        "tensors": 10, "certainty": "certain", **columns,
    }  # fmt: skip
    names = ", ".join(row)
    parts = [*parts]
    document = {
        "parts": [{key: part[key] for key in part if key != "digest"} for part in parts],
        "missing_parts": None if missing_parts is None else [*missing_parts],
        "findings": [*findings],
    }  # fmt: skip
    with library.writing() as connection:
        sql = f"INSERT INTO file ({names}) VALUES (:{', :'.join(row)})"
        file = int(connection.execute(sql, row).lastrowid or 0)
        connection.execute("INSERT INTO identity VALUES (?, ?)", (file, json.dumps(document)))
        connection.executemany("INSERT INTO tag VALUES (?, ?)", ((file, tag) for tag in tags))
        connection.executemany("INSERT INTO finding VALUES (?, ?)", ((file, c) for c in findings))
        connection.executemany(
            "INSERT INTO origin (file, number, relation, name, digest) VALUES (?, ?, ?, ?, ?)",
            ((file, n, *origin) for n, origin in enumerate(origins)),
        )
        connection.executemany(
            "INSERT INTO part (file, number, role, architecture, prefix, bytes, dtype, digest)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (file, n, part["role"], part.get("architecture"), part.get("prefix", ""),
                 part.get("bytes", 0), part.get("dtype"), part.get("digest"))
                for n, part in enumerate(parts)
            ),
        )  # fmt: skip
        index_words(connection, file)
    return file


def add_image(
    library: Library, path: str, prompt: str | None, negative: str = "", *,
    models: Iterable[tuple[str, str, str]] = (), **columns: Any,
) -> int:  # fmt: skip
    """Add a picture that names `models`: role, name, digest."""
    with library.writing() as connection:
        number = None
        if prompt is not None:
            key = hashlib.sha256(f"{prompt}\0{negative}".encode()).digest()[:16]
            connection.execute(
                "INSERT OR IGNORE INTO prompt (digest, prompt, negative) VALUES (?, ?, ?)",
                (key, prompt, negative),
            )
            sql = "SELECT id FROM prompt WHERE digest = ?"
            (number,) = connection.execute(sql, (key,)).fetchone()
            there = "SELECT 1 FROM prompt_words_docsize WHERE id = ?"
            if not connection.execute(there, (number,)).fetchone():
                connection.execute(
                    "INSERT INTO prompt_words (rowid, prompt, negative) VALUES (?, ?, ?)",
                    (number, words_of(prompt), words_of(negative)),
                )
        row = {"path": path, "fingerprint": path, "size": 1, "modified": START, "prompt": number,
               "dialect": "a1111", **columns}  # fmt: skip
        sql = f"INSERT INTO image ({', '.join(row)}) VALUES (:{', :'.join(row)})"
        image = int(connection.execute(sql, row).lastrowid or 0)
        for role, name, digest in models:
            connection.execute(
                "INSERT OR IGNORE INTO named_model (role, name, digest) VALUES (?, ?, ?)",
                (role, name, digest),
            )
            connection.execute(
                "INSERT INTO image_model (image, model) SELECT ?, id FROM named_model"
                " WHERE role = ? AND name = ? AND digest = ?",
                (image, role, name, digest),
            )
    return image
