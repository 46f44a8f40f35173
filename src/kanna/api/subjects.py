"""A file as the rules of `kanna.findings` see it: put together from all that is known of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanna.disk import as_path
from kanna.errors import FormatError
from kanna.findings import Purpose, Subject, check
from kanna.identity import Identity
from kanna.model import ModelFile, Note

if TYPE_CHECKING:
    import os

    from kanna.findings.facts import KnownVae


def codes(path: str | os.PathLike[str], model: ModelFile, identity: Identity) -> tuple[str, ...]:
    """Return the codes of what the header alone shows, for the identity document.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    found = check(subject_of(as_path(path), model, identity, None))
    return tuple(sorted({finding.rule.code for finding in found}))


def subject_of(
    path: Path, model: ModelFile, identity: Identity, purpose: Purpose | None
) -> Subject:
    """Return the file as the rules see it: with the config beside it and what the cache knows.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    config, trouble = _config(path)
    digest = (identity.hashes or {}).get("data_sha256")
    return Subject(
        path=path, model=model, identity=identity, purpose=purpose, vae=_vae(identity),
        config=config, config_trouble=trouble,
        data_sha256=digest if isinstance(digest, str) else None,
    )  # fmt: skip


def _config(path: Path) -> tuple[Any, Note | None]:
    """Return the config beside a model, or why it cannot be read."""
    config = path.with_suffix(".yaml")
    if path.is_dir() or not config.is_file():
        return None, None
    from kanna.formats.strict_yaml import read_yaml  # few models have one

    try:
        return read_yaml(config), None
    except FormatError as error:
        return None, Note(error.key, error.values)


def _vae(identity: Identity) -> KnownVae | None:
    """Return the VAE inside, where the cache of hashes knew it when the file was identified."""
    name = identity.vae_identity
    if name is None:
        return None
    from kanna.findings.facts import KnownVae
    from kanna.findings.vae import state_of
    from kanna.hashing.known import known_models

    rows = (row for row in known_models() if row.kind == "vae" and row.short_name == name)
    whose = next((row.architecture for row in rows if row.architecture), None)
    return KnownVae(name=name, architecture=whose, state=state_of(name))
