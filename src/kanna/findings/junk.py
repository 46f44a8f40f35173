"""Chapter 4, first half: what a finished model does not need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.families import tables
from kanna.families.schedule import holds_schedule
from kanna.findings.subject import Subject, found, mend
from kanna.findings.values import Finding
from kanna.identity import JunkGroup

_MEND: Final = mend(prune=True)
# Two names of the same numbers, and one is enough.
# Source: transformers, tied weights of T5EncoderModel and of causal language models.
_TIED: Final = (
    ("shared.weight", "encoder.embed_tokens.weight"),
    ("model.embed_tokens.weight", "lm_head.weight"),
)


def junk(subject: Subject) -> Iterator[Finding]:
    """Find known junk, group by group: what pruning takes, and no more."""
    for group in subject.identity.junk:
        names = tuple(name for name in group.names if _is_junk(subject, group, name))
        if names:
            size = sum(subject.model[name].nbytes for name in names)
            yield found("KN401", names=names, size=size, repair=_MEND, group=group.group,
                        count=len(names))  # fmt: skip


def trainer_state(subject: Subject) -> Iterator[Finding]:
    """Find what only resuming a training run needs."""
    extras = subject.model.extras
    state = tables()["everywhere"]["trainer"]["state"]
    keys = [key for key in extras if key in state and extras[key]]
    if keys:
        inside = sum(tensor.nbytes for tensor in subject.model.values())
        yield found("KN402", size=_worthwhile(subject.model.size - inside), keys=", ".join(keys),
                    repair=mend(container="safetensors"))  # fmt: skip


def stored_twice(subject: Subject) -> Iterator[Finding]:
    """Find large tensors with the same numbers under two names (tied weights)."""
    model = subject.model
    for first, second in _TIED:
        for name in model:
            other = name.removesuffix(first) + second
            if name.endswith(first) and other in model and _same(subject, name, other):
                yield found("KN409", names=(name, other), size=model[other].nbytes,
                            name=name, other=other)  # fmt: skip


def _same(subject: Subject, name: str, other: str) -> bool:
    """Whether two tensors hold the same bytes, by checksum, and more than one number."""
    measures = subject.measures or {}
    one, two = measures.get(name), measures.get(other)
    if one is None or two is None or one.alike:
        return False
    alike = subject.model[name].nbytes == subject.model[other].nbytes
    return alike and one.checksum == two.checksum


def _is_junk(subject: Subject, group: JunkGroup, name: str) -> bool:
    tensor = subject.model[name]
    if not group.prune or not tensor.numel:
        return False
    return not group.standard or holds_schedule(tensor, group.standard)


def _worthwhile(size: int) -> int:
    """Count what lies beside the tensors only where it is more than the pickle itself."""
    return size if size > 1 << 22 else 0
