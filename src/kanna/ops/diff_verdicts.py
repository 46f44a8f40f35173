"""What B is, seen from A: the same, a cast, a pruned copy, a merge … each with what tells.

The first verdict is the one for a title.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kanna.messages import say
from kanna.model import Note
from kanna.ops.diff_change import change
from kanna.ops.diff_compared import Compared, Part
from kanna.ops.diff_vae import other_vae
from kanna.ops.diff_verdict import Verdict, part_name, percent, verdict
from kanna.ops.parts import MODEL

__all__ = ["Verdict", "verdicts"]


def verdicts(found: Compared) -> tuple[Verdict, ...]:
    """Return all that can be said of B.

    Raises:
        FormatError: a file does not hold what its header says.
    """
    return tuple(_verdicts(found))


def _verdicts(found: Compared) -> Iterator[Verdict]:
    models = found.models
    changed = [part for part in models if not _equal(found, part)]
    main, covered = _main(found, changed), False
    if main is not None:
        told = list(change(found, main))
        covered = "weights" in told[0].values  # a merge is one of all parts but the VAE
        yield from told
    elif not changed and _all_alike(found):
        yield verdict("same", numbers=found.row("", found.differences).numbers)
        return
    else:
        yield from _whole(found, models, changed)
    for part in changed:
        if part[0] == "vae":
            yield other_vae(found)
        elif part != main and not (covered and found.fit(found.parts[part]) is not None):
            yield _changed(found, part)
    if changed:
        yield from _unchanged(found, models, changed)
    yield from _aside(found)
    yield from _alone(found)


def _equal(found: Compared, part: Part) -> bool:
    return not any(found.differences[name].unequal for name in found.parts[part])


def _all_alike(found: Compared) -> bool:
    at = found.alignment
    alone = at.missing or at.extra or at.misshapen
    return not alone and all(one.same for one in found.differences.values())


def _main(found: Compared, changed: Iterable[Part]) -> Part | None:
    """Return the changed part that the comparison is about: no VAE where there is more."""
    listed = [p for p in changed if p[0] != "vae" or len(found.models) == 1]
    listed.sort(key=lambda p: (p[0] != MODEL, -sum(found.differences[n].numbers
                                                  for n in found.parts[p])))  # fmt: skip
    return listed[0] if listed else None


def _whole(found: Compared, models: Iterable[Part], changed: Iterable[Part]) -> Iterator[Verdict]:
    """Say what is true of all parts where none changed but a VAE."""
    left = [p for p in models if p not in list(changed)]
    names = [name for part in left for name in found.parts[part]]
    if not names:
        return
    casts = _casts(found, names)
    if casts:
        yield _cast(found, names, casts)
    elif not list(changed):
        same = all(found.differences[name].same for name in names)
        yield verdict("copy" if same else "equal", tensors=len(names))


def _casts(found: Compared, names: Iterable[str]) -> Counter[tuple[str, str]]:
    """Return from which dtype to which numbers were cast, by tensors."""
    dtypes = ((found.matches[n].first.dtype, found.matches[n].second.dtype) for n in names)
    return Counter((one.word, other.word) for one, other in dtypes if one is not other)


def _cast(found: Compared, names: list[str], casts: Counter[tuple[str, str]]) -> Verdict:
    row = found.row("", names)
    dtypes = ", ".join(f"{one} → {other}" for one, other in casts)
    matches = [found.matches[name] for name in names]
    narrowed = any(m.second.dtype.bits < m.first.dtype.bits for m in matches)
    widened = any(m.second.dtype.bits > m.first.dtype.bits for m in matches)
    kind = "cast"
    if widened and not narrowed:
        kind = "widened" if row.relative_rms == 0 else "original"
    return verdict(kind, dtypes=dtypes, numbers=row.numbers, tensors=sum(casts.values()),
                   values={"dtypes": [list(one) for one in casts], "numbers": row.numbers,
                           "unequal": row.unequal})  # fmt: skip


def _changed(found: Compared, part: Part) -> Verdict:
    row = found.row("", found.parts[part])
    return verdict(
        "part_changed", part=part_name(part), rms=percent(row.relative_rms or 0),
        changed=row.tensors - row.equal, tensors=row.tensors,
        values={"role": part[0], "word": part[1], "relative_rms": row.relative_rms,
                "changed": row.tensors - row.equal, "tensors": row.tensors},
    )  # fmt: skip


def _unchanged(
    found: Compared, models: Iterable[Part], changed: Iterable[Part]
) -> Iterator[Verdict]:
    left = [part for part in models if part not in list(changed)]
    if not left:
        return
    cast = [part for part in left if _casts(found, found.parts[part])]
    key = "parts_cast" if cast else "parts_same"
    yield verdict(key, parts=", ".join(map(part_name, left)),
                  values={"parts": [list(part) for part in left]})  # fmt: skip


def _aside(found: Compared) -> Iterator[Verdict]:
    """Say which of the tensors that are no part of a model differ."""
    for part, names in found.parts.items():
        differing = [name for name in names if found.differences[name].unequal]
        if part in found.models or not differing:
            continue
        if part[0] == "position_ids":
            yield verdict("ids", first=_ids(found.first.identity.position_ids.state),
                          second=_ids(found.second.identity.position_ids.state),
                          values={"a": found.first.identity.position_ids.state,
                                  "b": found.second.identity.position_ids.state})  # fmt: skip
        else:
            yield verdict("aside", role=say(f"diff.role_{part[0]}"), count=len(differing),
                          values={"role": part[0], "names": differing})  # fmt: skip


def _ids(state: str) -> Note:
    return Note(f"diff.ids_{state}")


def _alone(found: Compared) -> Iterator[Verdict]:
    at = found.alignment
    for kind, side, names in (("without", found.first, at.missing),
                              ("with", found.second, at.extra)):  # fmt: skip
        if names:
            counts = Counter(side.roles.get(name, "other") for name in names)
            parts = {part.role: (part.role, part.role) for part in side.identity.parts}
            what = ", ".join(
                say("diff.counted", what=part_name(parts.get(role, (role, role))), count=count)
                for role, count in counts.items()
            )
            yield verdict(kind, what=what, values={"tensors": dict(counts)})
    if at.misshapen:
        yield verdict("misshapen", count=len(at.misshapen), name=at.misshapen[0].name,
                      values={"names": [one.name for one in at.misshapen]})  # fmt: skip
