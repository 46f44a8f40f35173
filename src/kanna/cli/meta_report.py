"""What `kanna meta` prints: the metadata of a file by whose it is, and what an edit changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from kanna.api import Edited, FileMetadata
from kanna.cli.output import bracketed, note_line, styled
from kanna.cli.report import facts_lines, finite
from kanna.families import title
from kanna.identity import said
from kanna.messages import say, shown, size_text
from kanna.model import Note

_MANY_TAGS: Final = 12
_MANY_FIELDS: Final = 12
_PICTURE: Final = "data:image/"
_DIGEST_NAMES: Final = {
    "sha256": "SHA-256", "autov1": "AutoV1", "autov2": "AutoV2", "autov3": "AutoV3",
    "crc32": "CRC32", "blake3": "BLAKE3",
}  # fmt: skip


def show_lines(found: FileMetadata, *, verbose: bool) -> list[str]:
    """Return the report on one file's metadata; `verbose` adds every field of every group."""
    blocks = [
        _spec_block(found),
        _training_block(found, verbose=verbose),
        *(_block(name, found.groups.get(name, {}), verbose=verbose)
          for name in ("merge", "workflow", "other")),
        _block("extras", {k: str(v) for k, v in found.extras.items()}, verbose=verbose),
        _beside_block(found),
    ]  # fmt: skip
    lines = [_heading(found)]
    for block in blocks:
        lines += ["", *block] if block else []
    if not found.fields and not found.extras:
        lines += ["", "  " + say("meta.none")]
    return [*lines, *_closing(found)]


def _heading(found: FileMetadata) -> str:
    kind = say(f"inspect.part_{found.kind}")
    what = f"{title(found.architecture)} {kind}" if found.architecture else kind
    return f"{styled(shown(found.path), 'bold')}  {bracketed(what, found.container)}"


def _title(name: str, more: str = "") -> str:
    text = say(f"meta.group_{name}")
    return "  " + styled(f"{text} {more}".rstrip(), "bold")


def _spec_block(found: FileMetadata) -> list[str]:
    spec = found.spec
    if not spec.fields:
        return []
    if spec.version is None:
        state = say("meta.spec_none")
    else:
        key = "meta.spec_complete" if spec.complete else "meta.spec_incomplete"
        state = say(key, version=spec.version)
    lines = [_title("modelspec", state)]
    rows = [[key.removeprefix("modelspec."), _value(value)] for key, value in spec.fields.items()
            if not key.endswith(".sai_model_spec")]  # fmt: skip
    lines += _indented(facts_lines(rows))
    for key, note in spec.problems.items():
        mark = styled("!", "yellow", "bold") if note.warning else styled("·", "dim")
        lines.append(f"    {mark} {key.removeprefix('modelspec.')}: {said(note)}")
    for duty, mark in (("must", styled("!", "yellow", "bold")), ("should", styled("·", "dim"))):
        names = spec.missing["must" if duty == "must" else "should"]
        if names:
            lines.append(f"    {mark} " + say(f"meta.spec_missing_{duty}", names=", ".join(names)))
    return lines


def _training_block(found: FileMetadata, *, verbose: bool) -> list[str]:
    training = found.training
    fields = found.groups.get("training", {})
    if training is None:
        return _block("training", fields, verbose=verbose)
    rows = [[key.removeprefix("ss_"), shown(text)] for key, text in training.facts.items()]
    if training.datasets:
        rows.append([say("meta.datasets"), ", ".join(_dataset(d.name, d.images, d.repeats)
                                                     for d in training.datasets)])  # fmt: skip
    if training.buckets:
        rows.append([say("meta.buckets"), _counted(training.buckets, verbose=verbose)])
    if training.tags:
        rows.append([say("meta.tags"), _counted(training.tags, verbose=verbose)])
    rest = {k: v for k, v in fields.items() if k not in training.facts and k not in _TOLD}
    lines = [_title("training"), *_indented(facts_lines(rows))]
    return [*lines, *_rest(rest, verbose=verbose)]


# What the lines on tags, pictures and sizes tell already.
_TOLD: Final = frozenset({
    "ss_tag_frequency", "ss_dataset_dirs", "ss_datasets", "ss_bucket_info"
})  # fmt: skip


def _dataset(name: str, images: int, repeats: int | None) -> str:
    if repeats is None:
        return say("meta.dataset", name=name, images=images)
    return say("meta.dataset_times", name=name, images=images, repeats=repeats)


def _counted(pairs: tuple[tuple[str, int], ...], *, verbose: bool) -> str:
    some = pairs if verbose else pairs[:_MANY_TAGS]
    words = [say("meta.tag", tag=tag, count=count) for tag, count in some]
    if len(some) < len(pairs):
        words.append(say("meta.tags_more", count=len(pairs) - len(some)))
    return ", ".join(words)


def _block(name: str, fields: Mapping[str, str], *, verbose: bool) -> list[str]:
    if not fields:
        return []
    some = dict(fields) if verbose else dict(list(fields.items())[:_MANY_FIELDS])
    rows = [[shown(key), _value(value)] for key, value in some.items()]
    rest = {key: fields[key] for key in fields if key not in some}
    return [_title(name), *_indented(facts_lines(rows)), *_rest(rest, verbose=verbose)]


def _rest(fields: Mapping[str, str], *, verbose: bool) -> list[str]:
    if verbose:
        return _indented(facts_lines([[shown(key), _value(text)] for key, text in fields.items()]))
    more = say("meta.more_fields", count=len(fields))
    return [f"    {styled(more, 'dim')}"] if fields else []


def _beside_block(found: FileMetadata) -> list[str]:
    rows = []
    for companion in found.companions:
        if companion.trouble is not None:
            text = say("meta.unreadable", reason=said(companion.trouble))
        else:
            text = "; ".join(f"{word}: {shown(value)}" for word, value in companion.says.items())
        rows.append([shown(companion.path.name), text])
    rows += [[say("meta.preview"), shown(path.name)] for path in found.previews]
    return [_title("beside"), *_indented(facts_lines(rows))] if rows else []


def _closing(found: FileMetadata) -> list[str]:
    lines = [note_line(note) for note in found.contradictions]
    if found.leaks:
        lines += [_line("meta.private_fields", warning=True), *_leak_lines(found.leaks)]
    if found.header is not None and found.room is not None:
        lines.append(_line("meta.room", header=size_text(found.header), room=size_text(found.room)))
    return ["", *lines] if lines else []


def _leak_lines(leaks: Mapping[str, str]) -> Iterator[str]:
    for kind in dict.fromkeys(leaks.values()):
        keys = ", ".join(key for key, word in leaks.items() if word == kind)
        yield "      " + say("meta.private_field", kind=say(f"meta.kind_{kind}"), keys=keys)


def _line(key: str, *, warning: bool = False, **values: object) -> str:
    return note_line(Note(key, values, warning=warning))


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _value(value: str) -> str:
    """Return a value as one line of a report: a picture as what it is, long text cut."""
    if value.startswith(_PICTURE):
        kind = value[len("data:") :].partition(";")[0]
        return say("meta.picture", kind=kind, size=size_text(len(value) * 3 // 4))
    return shown(value)


def show_document(found: FileMetadata) -> dict[str, object]:
    """Return the JSON document of one file's metadata."""
    training = found.training
    return {
        "path": str(found.path), "container": found.container, "kind": found.kind,
        "architecture": found.architecture, "fields": dict(found.fields),
        "groups": {name: list(fields) for name, fields in found.groups.items()},
        "modelspec": {
            "version": found.spec.version, "complete": found.spec.complete,
            "missing": {duty: list(names) for duty, names in found.spec.missing.items()},
            "problems": [
                {"field": key, "key": note.key, "warning": note.warning, "text": said(note)}
                for key, note in found.spec.problems.items()
            ],
        },
        "training": None if training is None else {
            "facts": dict(training.facts),
            "tags": [{"tag": tag, "count": count} for tag, count in training.tags],
            "datasets": [{"name": d.name, "images": d.images, "repeats": d.repeats}
                         for d in training.datasets],
            "buckets": [{"size": size, "count": count} for size, count in training.buckets],
        },
        "private": dict(found.leaks),
        "contradictions": [said(note) for note in found.contradictions],
        "extras": {key: finite(value) for key, value in found.extras.items()},
        "header": found.header, "room": found.room,
        "companions": [
            {"path": str(one.path), "source": one.source, "says": dict(one.says),
             "trouble": None if one.trouble is None else said(one.trouble)}
            for one in found.companions
        ],
        "previews": [str(path) for path in found.previews],
    }  # fmt: skip


def edit_lines(made: Edited, *, verbose: bool) -> list[str]:
    """Return the report of one edit, planned or done."""
    arrow = styled("→", "cyan")
    head = styled(shown(made.path), "bold")
    if made.destination != made.path:
        head += f" {arrow} {styled(shown(made.destination), 'bold')}"
    lines = [head, *_change_lines(made)]
    lines += [note_line(note) for note in made.notes]
    if made.way == "nothing":
        return [*lines, f"  {styled('·', 'dim')} {say('meta.way_nothing')}"]
    lines += _effect_lines(made, verbose=verbose)
    values = {"room": size_text(made.room), "size": size_text(made.size)}
    if made.dry_run:
        return [*lines, "  " + say(f"meta.plan_{made.way}", **values)]
    return [*lines, f"  {styled('✓', 'green', 'bold')} " + say(f"meta.way_{made.way}", **values)]


def _change_lines(made: Edited) -> Iterator[str]:
    for change in made.changes:
        key = shown(change.key)
        if change.old is None:
            yield f"  {styled('+', 'green', 'bold')} {key}: {_value(change.new or '')}"
        elif change.new is None:
            reason = made.reasons.get(change.key)
            why = f"  {say(f'meta.kind_{reason}')}" if reason else ""
            yield f"  {styled('-', 'red', 'bold')} {key}: {_value(change.old)}{styled(why, 'dim')}"
        else:
            arrow = styled("→", "cyan")
            yield f"  {styled('~', 'yellow', 'bold')} {key}: {_value(change.old)} {arrow} " + (
                _value(change.new)
            )


def _effect_lines(made: Edited, *, verbose: bool) -> Iterator[str]:
    effects = made.digests
    if made.verified == "full" and effects.data_sha256:
        yield _line("meta.data_proved", digest=effects.data_sha256)
    else:
        yield _line("meta.data_same")
    names = ", ".join(_DIGEST_NAMES[word] for word in effects.changed)
    yield _line("meta.digests_changed", names=names)
    if effects.autov1 is not None:
        before, after = effects.autov1
        if before != after:
            yield _line("meta.autov1_changed", before=before, after=after)
        elif verbose:
            yield _line("meta.autov1_kept", digest=after)
    if effects.cached:
        yield _line("meta.cached")
    if effects.sidecar is not None:
        key = "meta.sidecar_written" if effects.sidecar_written else "meta.sidecar_stale"
        yield _line(key, warning=not effects.sidecar_written, name=effects.sidecar.name)


def edit_document(made: Edited) -> dict[str, object]:
    """Return the JSON document of one edit."""
    effects = made.digests
    return {
        "path": str(made.path), "output": str(made.destination), "dry_run": made.dry_run,
        "way": made.way,
        "changes": [
            {"key": c.key, "old": c.old, "new": c.new, "reason": made.reasons.get(c.key)}
            for c in made.changes
        ],
        "notes": [{"key": n.key, "warning": n.warning, "text": said(n)} for n in made.notes],
        "size": made.size, "room": made.room,
        "digests": {
            "changed": list(effects.changed), "kept": list(effects.kept),
            "autov1": None if effects.autov1 is None else {
                "before": effects.autov1[0], "after": effects.autov1[1],
            },
            "data_sha256": effects.data_sha256, "cached": effects.cached,
        },
        "sidecar": None if effects.sidecar is None else {
            "path": str(effects.sidecar), "written": effects.sidecar_written,
        },
        "verified": made.verified, "seconds": round(made.seconds, 3),
    }  # fmt: skip
