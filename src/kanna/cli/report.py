"""The report of `kanna inspect`: what a file is, on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Final

from kanna.api import Inspection
from kanna.cli.output import (
    bracketed,
    command_line,
    count_text,
    note_line,
    styled,
    table,
    width,
    wrapped,
)
from kanna.dtypes import WORDS
from kanna.families import family, title
from kanna.families.places import folders, places
from kanna.identity import Certainties, Ema, Identity, Part, PositionIds, said
from kanna.messages import ranges, say, shown, size_text
from kanna.model import ModelFile

_CERTAINTY_STYLE: Final = {"certain": "green", "likely": "yellow", "ambiguous": "yellow"}
_MANY: Final = 5


def report(found: Inspection, *, verbose: bool = False) -> list[str]:
    """Return the report as lines; `verbose` adds all names and all evidence."""
    identity = found.identity
    lines = [*_heading(identity)]
    facts = facts_lines(list(_facts(found, verbose=verbose)))
    for block in (_parts(found), facts):
        lines += ["", *block] if block else []
    notes = [note_line(note) for note in found.model.notes]
    if verbose:
        notes += [f"  {styled('·', 'dim')} {said(note)}" for note in identity.evidence]
    return [*lines, "", *notes] if notes else lines


def facts_lines(rows: list[list[str]]) -> list[str]:
    """Return rows of a label and a text as lines; long texts are folded under themselves."""
    longest = max((width(label) for label, _ in rows), default=0)
    return [
        f"  {styled(label, 'dim')}{' ' * (longest - width(label))}  {wrapped(text, longest + 4)}"
        for label, text in rows
    ]


def document(found: Inspection) -> dict[str, object]:
    """Return the identity document, with what the container itself has to say at its end."""
    model = found.model
    notes = [{"key": note.key, "text": said(note)} for note in model.notes]
    refused = {name: said(note) for name, note in model.refused.items()}
    extras = {key: finite(value) for key, value in model.extras.items()}
    return {**found.identity.to_json(), "extras": extras, "refused": refused, "notes": notes}


def finite(value: object) -> object:
    """Return plain data with Inf and NaN, which JSON lacks, as words."""
    match value:
        case dict():
            return {key: finite(inner) for key, inner in value.items()}
        case list():
            return [finite(inner) for inner in value]
        case float() if not isfinite(value):
            return str(value)
        case _:
            return value


def _heading(identity: Identity) -> Iterator[str]:
    yield (
        styled(shown(identity.path), "bold")
        + f"  {size_text(identity.size)} · "
        + say(f"inspect.container_{identity.container.replace('-', '_')}")
    )
    name = " / ".join(map(title, identity.architecture_candidates))
    if identity.architecture:
        name = title(identity.architecture)
    kind = say(f"inspect.part_{identity.kind}")
    if identity.variant and identity.variant != identity.kind:
        kind = bracketed(kind, identity.variant)
    certainty = ""
    if identity.kind != "unknown":
        style = _CERTAINTY_STYLE.get(identity.certainty, "red")
        certainty = "  " + styled(say(f"inspect.certainty_{identity.certainty}"), style)
    yield f"  {styled(' '.join(filter(None, [name, kind])), 'bold')}{certainty}"


def _parts(found: Inspection) -> list[str]:
    identity = found.identity
    if not identity.parts:
        return []
    head = [say(f"inspect.column_{c}") for c in ("part", "dtype", "tensors", "parameters", "size")]
    rows = [[*head, ""], *(_part_row(part, found.model) for part in identity.parts)]
    if identity.ema.present:
        rows.append(_ema_row(found))
    lines = table(rows, right=(2, 3, 4))
    return [styled(lines[0], "dim"), *lines[1:]]


def _part_row(part: Part, model: ModelFile) -> list[str]:
    role = say(f"inspect.part_{part.role}")
    if part.role == "text_encoder" and part.variant:
        role += f" {part.variant}"
    return [
        role, _dtype_text(part, model), f"{part.tensors:,}", count_text(part.parameters),
        size_text(part.bytes), _completeness(part),
    ]  # fmt: skip


def _dtype_text(part: Part, model: ModelFile) -> str:
    """Return the part's main dtype or its scheme, with a plus where other floats are mixed in."""
    if part.quantization is not None:
        main, word = part.quantization.removeprefix("gguf-"), part.quantization
        others = [other for other in _beside_codes(part, model) if other != main]
    else:
        main, word = part.dtype or "", part.dtype or "-"
        whole = {name for name, dtype in WORDS.items() if dtype.kind != "float"}
        others = [other for other in part.dtypes if other != main and other not in whole]
    return f"{word}+{'+'.join(others)}" if len(others) == 1 else word + "+…" * bool(others)


def _beside_codes(part: Part, model: ModelFile) -> list[str]:
    """Return the dtypes of what is not quantised in a quantised part; scales do not count."""
    codes = {word for word, dtype in WORDS.items() if dtype.kind != "float" or dtype.bits < 16}
    tensors = (model[name] for name in part.names if not _is_beneath(name, model))
    words = dict.fromkeys(tensor.dtype.word for tensor in tensors if tensor.numel > 1)
    return [word for word in words if word not in codes]


def _is_beneath(name: str, model: ModelFile) -> bool:
    """Whether a tensor belongs to another, as ``x.weight.absmax`` does."""
    above = name.rpartition(".")[0]
    return above in model or above.rpartition(".")[0] in model


def _completeness(part: Part) -> str:
    words = []
    if part.complete:
        words.append(styled(say("inspect.complete"), "green"))
    if part.missing:
        words.append(styled(say("inspect.missing", count=len(part.missing)), "red"))
    if part.misshapen:
        words.append(styled(say("inspect.misshapen", count=len(part.misshapen)), "red"))
    if part.unexpected:
        words.append(styled(say("inspect.unexpected", count=len(part.unexpected)), "yellow"))
    return " · ".join(words)


def _ema_row(found: Inspection) -> list[str]:
    ema = found.identity.ema
    tensors = [found.model[name] for name in ema.pairs.values()]
    words = "+".join(sorted({tensor.dtype.word for tensor in tensors}))
    return [
        say("inspect.part_ema"), words, f"{len(tensors):,}",
        count_text(sum(tensor.numel for tensor in tensors)), size_text(ema.bytes),
        styled(say("inspect.complete"), "green") if ema.complete
        else styled(say("inspect.missing", count=len(ema.missing)), "red"),
    ]  # fmt: skip


def _ema_text(ema: Ema) -> str:
    """Say whether the EMA is the model over again, where that was asked, and what it takes."""
    saving = say("inspect.ema_saving", size=size_text(ema.bytes))
    return " · ".join(filter(None, [ema_compared(ema), saving]))


def ema_compared(ema: Ema) -> str:
    """Return whether the EMA is the model over again, or nothing where nobody compared them."""
    if ema.equal_to_model is None:
        return ""
    return say("inspect.ema_equal" if ema.equal_to_model else "inspect.ema_differs")


def _adapters(identity: Identity) -> Iterator[list[str]]:
    for part in identity.parts:
        if part.adapter is not None:
            from kanna.cli.adapter_report import adapter_rows  # few files are adapters

            yield from map(list, adapter_rows(part, part.adapter))


def _facts(found: Inspection, *, verbose: bool) -> Iterator[list[str]]:
    """Yield rows of a label and a text for everything that is not a part."""
    identity = found.identity
    if identity.architecture and len(identity.variant_candidates) > 1:
        yield _row("variant", say("inspect.one_of", names=" / ".join(identity.variant_candidates)))
    if verbose:
        yield _row("certainties", _certainties_text(identity.certainties))
    yield from _adapters(identity)
    if identity.vae_identity:
        yield _row("vae", shown(identity.vae_identity))
    if identity.ema.present:
        yield _row("ema", _ema_text(identity.ema))
    if identity.prediction:
        certainty = say(f"inspect.certainty_{identity.prediction.certainty}")
        yield _row("prediction", bracketed(identity.prediction.type, certainty))
    if identity.position_ids.keys:
        yield _row("position_ids", _ids_text(identity.position_ids))
    for group in identity.junk:
        size = size_text(group.bytes)
        key = "inspect.group" if group.prune else "inspect.group_kept"
        yield _row("junk", say(key, name=group.group, count=group.tensors, size=size))
    for label, names in _lists(found):
        if names:
            yield _row(label, _names(names, verbose=verbose))
    yield from _parts_to_find(identity)
    yield from _conclusions(identity)


def _conclusions(identity: Identity) -> Iterator[list[str]]:
    """Yield what follows from all that: what the file is good for, and what is wrong with it."""
    if identity.hashes:
        yield _row("hashes", _hashes_text(identity.hashes))
    uses = list(_uses(identity))
    if uses:
        yield _row("good_for", " · ".join(uses))
    if identity.findings:
        codes = " ".join(identity.findings)
        command = command_line(["kanna", "check", identity.path])
        yield [say("inspect.row_findings"), f"{codes} — {command}"]


def _hashes_text(hashes: Mapping[str, object]) -> str:
    """Return the short hashes by which people call a file."""
    words = (("autov1", "AutoV1"), ("autov2", "AutoV2"), ("autov3", "AutoV3"))
    return " · ".join(f"{label} {hashes[word]}" for word, label in words if hashes.get(word))


def _lists(found: Inspection) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows that list names."""
    identity, model = found.identity, found.model
    yield "markers", list(identity.markers)
    yield "unrecognised", list(identity.unrecognised)
    yield "missing_tensors", [name for part in identity.parts for name in part.missing]
    yield "misshapen", [name for part in identity.parts for name in part.misshapen]
    yield "extras", [_outline(key, value) for key, value in model.extras.items()]
    yield "refused", list(model.refused)
    yield "metadata", list(identity.metadata)


def _parts_to_find(identity: Identity) -> Iterator[list[str]]:
    """Yield a row for each part that is needed besides: its usual file, and the folder for it."""
    own = family(identity.architecture or "")
    for number, word in enumerate(identity.missing_parts):
        found = places(word, own.vae if own else None)
        file = found[0].files[0] if found and found[0].files else ""
        folder = folders(found[0].role).get("comfyui", "") if found else ""
        where = ", ".join(filter(None, [file, f"ComfyUI {folder}" if folder else ""]))
        text = say("inspect.part_to_find", word=word, where=where) if where else word
        yield ["" if number else say("inspect.row_missing_parts"), text]


def _outline(key: str, value: object) -> str:
    """Return what lies beside the tensors in a few words: a number whole, a list by its length."""
    match value:
        case bool() | int() | float() | str():
            return f"{key} = {shown(value)}"
        case dict() | list():
            return f"{key} ({len(value)})"
        case _:
            return key


def _certainties_text(sure: Certainties) -> str:
    words = {"kind": sure.kind, "architecture": sure.architecture, "variant": sure.variant}
    return " · ".join(
        f"{say(f'inspect.axis_{axis}')} {say(f'inspect.certainty_{word}')}"
        for axis, word in words.items()
    )


def _row(label: str, text: str) -> list[str]:
    return [say(f"inspect.row_{label}"), text]


def _names(names: list[str], *, verbose: bool) -> str:
    some = names if verbose else names[:_MANY]
    text = ", ".join(shown(name) for name in some)
    return text if len(some) == len(names) else say("inspect.and_more", names=text,
                                                    count=len(names) - len(some))  # fmt: skip


def _ids_text(ids: PositionIds) -> str:
    text = say(f"inspect.ids_{ids.state}")
    if ids.wrong:
        text += " " + say("inspect.ids_wrong", wrong=ranges(ids.wrong))
    return text


def _uses(identity: Identity) -> Iterator[str]:
    """Yield what the file is good for as it is."""
    for task in identity.tasks:
        text = say(f"inspect.task_{task.replace('-', '_')}")
        yield bracketed(text, f"{identity.resolution} px") if identity.resolution else text
    if identity.kind == "checkpoint" and identity.dtype == "fp32":
        yield say("inspect.use_training")
