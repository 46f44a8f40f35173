"""One edit of one file's metadata: planned, checked, carried out, and what follows from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from kanna.api.meta_values import DigestEffects, Edited, EditOptions, Way
from kanna.disk import Fingerprint, is_remote
from kanna.engine import Progress
from kanna.engine.job import write_error
from kanna.engine.new_header import Rewriting, plan_rewriting
from kanna.engine.rewriting import check_target, rewrite
from kanna.errors import FormatError, Incompatible, Incomplete
from kanna.formats import open_model
from kanna.hashing.cache import HashCache
from kanna.hashing.digests import AUTOV1_START
from kanna.hashing.place import existing_cache
from kanna.hashing.sidecars import read_sidecar
from kanna.metadata.editing import Change, Edit, changes
from kanna.model import ModelFile, Note
from kanna.ops.naming import check_protected, is_folder

HASH: Final = "modelspec.hash_sha256"
_AUTOV1_LENGTH: Final = 0x10000


@dataclass(frozen=True, slots=True)
class EditJob:
    """One edit of one file."""

    path: Path
    options: EditOptions
    progress: Callable[[Progress], None] | None
    cancel: threading.Event | None
    in_use: bool = False

    def open(self) -> ModelFile:
        """Open the file.

        Raises:
            Incompatible: it is none whose metadata can be edited.
        """
        if is_remote(self.path):
            raise Incompatible("meta.remote", path=self.path)
        model = open_model(self.path)
        if model.container != "safetensors":
            model.close()
            key = "meta.folder" if len(model.files) > 1 or self.path.is_dir() else "meta.container"
            output = self.path.with_suffix(".safetensors").name
            raise Incompatible(key, path=self.path, container=model.container, output=output)
        return model

    @property
    def destination(self) -> Path | None:
        """The file to make, or None."""
        wanted = self.options.destination
        if wanted is None:
            return None
        return Path(wanted) / self.path.name if is_folder(wanted) else Path(wanted)

    def carry_out(self, model: ModelFile, edit: Edit) -> Edited:
        """Plan the edit, and unless that is all that was asked for, make it."""
        before, target = dict(model.metadata), self.destination
        differences = changes(before, edit.fields)
        planned = plan_rewriting(model, edit.fields, anew=target is not None)
        if not differences and target is None:
            return self._edited(planned, before, edit, (), "nothing", DigestEffects())
        self._check(planned, target)
        way: Way = "in_place" if target is None and planned.fits else "new_file"
        effects = _effects(planned, target or self.path, replaced=target is None)
        notes = (*edit.notes, *self._remarks(way))
        edit = Edit(fields=edit.fields, notes=notes, reasons=edit.reasons)
        if self.options.dry_run:
            return self._edited(planned, before, edit, differences, way, effects)
        done = rewrite(planned, edit.fields, target, options=self.options.run_options,
                       progress=self.progress, cancel=self.cancel)  # fmt: skip
        if done.data_sha256 is not None and _is_false(edit.fields.get(HASH), done.data_sha256):
            notes = (*edit.notes, Note("meta.hash_false", {"key": HASH}))
            edit = replace(edit, notes=notes)
        effects = self._sidecar(done.path, effects, done.data_sha256)
        return self._edited(planned, before, edit, differences, way, effects,
                            verified=done.verified, seconds=done.seconds)  # fmt: skip

    def _check(self, planned: Rewriting, target: Path | None) -> None:
        if target is not None:
            others = [one for one in self.options.protected if Path(one) != self.path]
            check_protected(target, others)
        try:
            check_target(planned, target, force=self.options.run_options.force)
        except OSError as error:
            raise write_error(error, target or self.path) from error

    def _remarks(self, way: Way) -> list[Note]:
        """Say what a person should know about other names and other users of the file."""
        remarks = []
        names = self.path.stat().st_nlink
        if self.options.destination is None and names > 1:
            key = "meta.all_names" if way == "in_place" else "meta.other_names"
            remarks.append(Note(key, {"names": names}))
        if self.options.destination is None and self.in_use:
            remarks.append(Note("meta.in_use", {}, warning=False))
        return remarks

    def _sidecar(self, path: Path, effects: DigestEffects, digest: str | None) -> DigestEffects:
        effects = replace(effects, data_sha256=digest or effects.data_sha256)
        if not self.options.sidecar:
            return effects
        from kanna.api.hashing import HashOptions, hash_files

        options = HashOptions(write_sidecar=True, force=True)
        for hashed in hash_files([path], options, progress=self.progress, cancel=self.cancel):
            if hashed.error is not None:
                raise hashed.error
            effects = replace(effects, sidecar=hashed.written, sidecar_written=True)
        return effects

    def _edited(
        self, planned: Rewriting, before: Mapping[str, str], edit: Edit,
        differences: tuple[Change, ...], way: Way, effects: DigestEffects, *,
        verified: str | None = None, seconds: float = 0.0,
    ) -> Edited:  # fmt: skip
        return Edited(
            path=self.path, destination=self.destination or self.path, before=before,
            after=dict(edit.fields), changes=differences, reasons=edit.reasons, notes=edit.notes,
            way=way, dry_run=self.options.dry_run, size=planned.size, room=planned.room,
            digests=effects, verified=verified, seconds=seconds,
        )  # fmt: skip


def _is_false(said: str | None, digest: str) -> bool:
    return said is not None and said.lower().removeprefix("0x") != digest


def _effects(planned: Rewriting, target: Path, *, replaced: bool) -> DigestEffects:
    """Say what becomes of the digests of a file."""
    autov1 = _autov1(planned, planned.old_head), _autov1(planned, planned.head)
    changed = ["sha256", "autov2", "crc32", "blake3"]
    kept = ["autov3"]
    (kept if autov1[0] == autov1[1] else changed).insert(1, "autov1")
    return DigestEffects(
        changed=tuple(changed), kept=tuple(kept), autov1=autov1,
        cached=replaced and _is_cached(planned.file.fingerprint), sidecar=_stale(target),
    )  # fmt: skip


def _autov1(planned: Rewriting, head: bytes) -> str:
    """Return the AutoV1 of the file as it is, or will be, with this `head`."""
    size = len(head) + planned.data_bytes
    end = min(AUTOV1_START + _AUTOV1_LENGTH, size)
    window = head[AUTOV1_START:end]
    begin = max(AUTOV1_START, len(head))
    if begin < end:
        window += planned.file.read(begin - len(head) + len(planned.old_head), end - begin)
    return sha256(window).hexdigest()[:8]


def _is_cached(file: Fingerprint) -> bool:
    place = existing_cache()
    if place is None:
        return False
    with HashCache(place) as cache:
        return cache.find(file) is not None


def _stale(target: Path) -> Path | None:
    """Return the ``.sha256`` file that says something about the file that is there now."""
    try:
        sidecar = read_sidecar(target)
    except (FormatError, Incomplete):
        return None
    return sidecar.path if sidecar is not None and sidecar.sha256 is not None else None
