"""`kanna hash`: every digest of files, sidecars, and what other programs computed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from kanna import api
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.output import (
    common_exit_code,
    error_document,
    print_error,
    print_json,
    print_notice,
    styled,
    table,
)
from kanna.cli.progress import Bar
from kanna.errors import Incomplete, UsageError
from kanna.messages import say, shown, size_text

_LABELS = {
    "sha256": "SHA-256", "autov1": "AutoV1", "autov2": "AutoV2", "autov3": "AutoV3",
    "data_sha256": "data", "sha256_16": "SHA-256/16", "crc32": "CRC32", "blake3": "BLAKE3",
    "embedding_checksum": "TI",
}  # fmt: skip
_MANY = 3


@click.command("hash", cls=Verb)
@click.argument("files", metavar="[FILE...]", nargs=-1, type=ModelPath())
@option("-r", "--recursive", text="hash.option_recursive", is_flag=True)
@option("--parts", text="hash.option_parts", is_flag=True)
@option("--check", text="hash.option_check", is_flag=True)
@option("--write-sidecar", text="hash.option_write_sidecar", is_flag=True)
@option("--full", text="hash.option_full", is_flag=True)
@option("--force", text="hash.option_force", is_flag=True)
@option("--dry-run", text="hash.option_dry_run", is_flag=True)
@option("--no-cache", text="hash.option_no_cache", is_flag=True)
@option("--threads", text="hash.option_threads", type=int)
@option("--import", "source", text="hash.option_import", type=click.Path(path_type=Path))
@option("--models", text="hash.option_models", type=click.Path(path_type=Path))
@common
def hash_(
    files: tuple[Path, ...], *, recursive: bool, parts: bool, check: bool, write_sidecar: bool,
    full: bool, force: bool, dry_run: bool, no_cache: bool, threads: int | None,
    source: Path | None, models: Path | None, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Hash files, or take over what another program computed, or both."""
    if not files and source is None:
        raise UsageError("hash.nothing_to_do")
    documents: list[object] = []
    if source is not None:
        documents.append(_import(source, models, dry_run=dry_run, loud=not as_json and not quiet,
                                 verbose=verbose))  # fmt: skip
    options = api.HashOptions(
        cache=not no_cache, parts=parts, check=check, write_sidecar=write_sidecar, full=full,
        force=force, dry_run=dry_run, threads=threads,
    )  # fmt: skip
    codes: list[int] = []
    targets = _targets(files, codes, recursive=recursive)
    codes += _hash(targets, options, documents, as_json=as_json, quiet=quiet, verbose=verbose)
    if as_json:
        many = len(documents) != 1 or any(map(os.path.isdir, files))
        print_json(documents if many else documents[0])
    return common_exit_code(codes)


def _targets(files: tuple[Path, ...], codes: list[int], *, recursive: bool) -> list[Path]:
    """Return the files to hash; a folder without any is told of."""
    found: list[Path] = []
    for path in files:
        targets = list(api.hash_targets(path, recursive=recursive))
        found += targets
        if not targets:
            print_notice("hash.no_models", path=path)
            codes.append(Incomplete.exit_code)
    return found


def _hash(
    files: list[Path], options: api.HashOptions, documents: list[object], *, as_json: bool,
    quiet: bool, verbose: bool,
) -> list[int]:  # fmt: skip
    """Hash the files, report on each, and return the exit codes of what went wrong."""
    codes: list[int] = []
    label = files[0].name if len(files) == 1 else say("hash.bar", count=len(files))
    bar = _Bars(label, hidden=as_json or quiet)
    with bar:
        for number, file in enumerate(api.hash_files(files, options, progress=bar)):
            bar.step_aside()
            documents.append(_document(file, dry_run=options.dry_run))
            if file.error is not None:
                codes.append(file.error.exit_code)
            if file.agrees is False:
                codes.append(1)
            if not as_json:
                _report(file, options, first=number == 0, quiet=quiet, verbose=verbose)
    return codes


class _Bars:
    """A progress bar that leaves the screen while a result is printed."""

    def __init__(self, label: str, *, hidden: bool) -> None:
        self._label, self._hidden = label, hidden
        self._bar = Bar(label, hidden=hidden)

    def __call__(self, progress: api.Progress) -> None:
        self._bar(progress)

    def step_aside(self) -> None:
        """Take the bar off; the next report of progress brings it back."""
        self._bar.__exit__(None, None, None)
        self._bar = Bar(self._label, hidden=self._hidden)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self.step_aside()


def _report(
    file: api.HashedFile, options: api.HashOptions, *, first: bool, quiet: bool, verbose: bool
) -> None:
    if file.digests is not None and (not quiet or file.agrees is False):
        if options.check and file.agrees is not None:
            key, style = ("check_ok", "green") if file.agrees else ("check_differs", "red")
            click.echo(styled(say(f"hash.{key}", path=file.path), style))
        elif not options.check:
            click.echo("\n" * (not first) + "\n".join(_lines(file, options, verbose=verbose)))
    if file.error is not None:
        print_error(file.error, as_json=False)


def _lines(file: api.HashedFile, options: api.HashOptions, *, verbose: bool) -> Iterator[str]:
    assert file.digests is not None
    origin = "row_cached" if file.cached else "row_told" if file.told else ""
    cached = "  " + styled(say(f"hash.{origin}"), "dim") if origin else ""
    yield f"{styled(shown(file.path), 'bold')}  {size_text(file.digests.size)}{cached}"
    rows = [*_digest_rows(file.digests), *_known_rows(file), *_sidecar_rows(file, options)]
    if file.parts is not None:
        rows += _part_rows(file, verbose=verbose)
    yield from table(rows)


def _digest_rows(digests: api.Digests) -> Iterator[list[str]]:
    values = digests.to_json()
    for field, label in _LABELS.items():
        value = values[field]
        if value is None:
            continue
        empty = field == "autov1" and not digests.autov1_means_something
        remark = "  " + styled(say("hash.autov1_empty"), "yellow") if empty else ""
        yield [label, f"{value}{remark}"]


def _known_rows(file: api.HashedFile) -> Iterator[list[str]]:
    for label, known in (("row_known", file.known), ("row_weights", file.weights_known)):
        if known is not None and (label == "row_known" or file.known is None):
            yield [say(f"hash.{label}"), shown(known.name)]


def _sidecar_rows(file: api.HashedFile, options: api.HashOptions) -> Iterator[list[str]]:
    label = say("hash.row_sidecar")
    if file.written is not None:
        key = "hash.sidecar_planned" if options.dry_run else "hash.sidecar_written"
        yield [label, say(key, name=file.written.name)]
    elif file.sidecar is not None:
        if file.agrees is None:
            yield [label, styled(say("hash.sidecar_silent_row"), "yellow")]
        elif file.agrees:
            yield [label, styled(say("hash.sidecar_agrees"), "green")]
        else:
            text = say("hash.sidecar_differs", sha256=file.sidecar.sha256)
            yield [label, styled(text, "red")]


def _part_rows(file: api.HashedFile, *, verbose: bool) -> Iterator[list[str]]:
    label = say("hash.row_part")
    if not file.parts:
        yield [label, say("hash.no_parts")]
    for match in file.parts or ():
        role = say(f"inspect.part_{match.part.role}")
        variant = f" {match.part.variant}" if match.part.variant else ""
        names = list(dict.fromkeys(hit.name for hit in match.same))
        some = names if verbose else names[:_MANY]
        text = ", ".join(map(shown, some)) + " …" * (len(some) < len(names))
        same = say("hash.same_as", names=text) if names else say("hash.same_as_none")
        yield [label, f"{role}{variant}  {match.part.digest}"]
        yield ["", styled(same, "green" if names else "dim")]


def _document(file: api.HashedFile, *, dry_run: bool) -> dict[str, object]:
    if file.digests is None:
        assert file.error is not None
        return {"path": str(file.path), "error": error_document(file.error)}
    sidecar = None
    if file.sidecar is not None:
        sidecar = {"path": str(file.sidecar.path), "sha256": file.sidecar.sha256,
                   "agrees": file.agrees}  # fmt: skip
    document: dict[str, object] = {
        "path": str(file.path),
        "size": file.digests.size,
        "cached": file.cached,
        "told": file.told,
        **file.digests.to_json(),
        "known": file.known.to_json() if file.known else None,
        "weights_known": file.weights_known.to_json() if file.weights_known else None,
        "sidecar": sidecar,
        "written": str(file.written) if file.written and not dry_run else None,
        "parts": None if file.parts is None else [_part_document(part) for part in file.parts],
    }
    return document | ({"error": error_document(file.error)} if file.error else {})


def _part_document(match: api.PartMatch) -> dict[str, object]:
    part = match.part
    same = [hit.to_json() for hit in match.same]
    return {"role": part.role, "variant": part.variant, "prefix": part.prefix,
            "digest": part.digest, "same": same}  # fmt: skip


def _import(
    source: Path, models: Path | None, *, dry_run: bool, loud: bool, verbose: bool
) -> dict[str, object]:
    """Take over another program's hashes, say what became of them, and return the document."""
    judged = api.import_hashes(source, models, dry_run=dry_run)
    fates = Counter(one.fate for one in judged)
    taken = fates.pop("taken", 0)
    if loud:
        click.echo(say("hash.import_planned" if dry_run else "hash.import_taken", count=taken))
        for fate, count in fates.items():
            click.echo("  " + say("hash.import_line", count=count, reason=say(f"hash.fate_{fate}")))
            for one in judged if verbose else ():
                if one.fate == fate:
                    click.echo(f"    {shown(one.entry.title)}")
    entries = [
        {"title": one.entry.title, "field": one.entry.field, "sha256": one.entry.sha256,
         "fate": one.fate, "path": str(one.path) if one.path else None}
        for one in judged
    ]  # fmt: skip
    return {"import": str(source), "dry_run": dry_run, "taken": taken, "entries": entries}
