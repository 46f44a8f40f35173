"""What settles what the tensors leave open: a known hash, metadata, a few numbers of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanna.families import title
from kanna.identify.peek import deviation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanna.identify.claims import Claim
    from kanna.identify.peek import Peek
    from kanna.identify.verdict import Verdict
    from kanna.identity import Published
    from kanna.model import TensorInfo


def remember(verdict: Verdict, published: Published) -> None:
    """Let the file's own hash settle what the tensors leave open: it is that very file."""
    word, variant = published.architecture, published.variant
    if word is not None and verdict.architectures and word not in verdict.architectures:
        what = " / ".join(map(title, verdict.architectures))
        verdict.tell("published_differs", name=published.name, value=title(word), what=what)
        return
    verdict.tell("published", name=published.name)
    if word is None or not verdict.architectures or verdict.several:
        return
    shared = verdict.row is not None and verdict.row.shared_with is not None
    if len(verdict.architectures) > 1:
        open_words, verdict.architectures = verdict.architectures, (word,)
        left = tuple(other for other in verdict.variants if other not in open_words)
        verdict.variants = (variant,) if variant else left
        verdict.proved = True
    elif variant and (shared or len(verdict.variants) > 1):
        verdict.variants = (variant,)
        verdict.proved = True


def hear(verdict: Verdict, claims: Iterable[Claim]) -> None:
    """Let metadata settle what the tensors leave open; note where it contradicts them."""
    for claim in () if verdict.proved else claims:
        if claim.architecture is None or not verdict.architectures:
            continue
        if claim.architecture not in verdict.architectures:
            what = " / ".join(map(title, verdict.architectures))
            verdict.tell("metadata_differs", key=claim.key, value=claim.value, what=what)
            continue
        shared = verdict.row is not None and verdict.row.shared_with is not None
        left = tuple(word for word in verdict.variants if word in claim.variants)
        if len(verdict.architectures) > 1:
            open_words, verdict.architectures = verdict.architectures, (claim.architecture,)
            verdict.variants = left or tuple(w for w in verdict.variants if w not in open_words)
            verdict.tell("metadata_settles", key=claim.key, value=claim.value)
        elif claim.variants and (left or shared) and set(claim.variants) != set(verdict.variants):
            verdict.variants = left or claim.variants
            verdict.tell("metadata_settles", key=claim.key, value=claim.value)
        elif claim.variants and not left and verdict.diffusion:
            what = " / ".join(verdict.variants)
            verdict.tell("metadata_differs", key=claim.key, value=claim.value, what=what)


def look(verdict: Verdict, model: Mapping[str, TensorInfo], peek: Peek) -> dict[str, str]:
    """Let a vector's spread settle what is still open; return the prediction it speaks for.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    known = verdict.family
    if known is None or verdict.main is None or len(verdict.variants) < 2:
        return {}
    for row in known.peeks:
        for name in row["any"]:
            tensor = model.get(verdict.main.prefix + name)
            values = peek.values(tensor) if tensor else None
            spread = deviation(values) if values else None
            if spread is None:
                continue
            side = row["above"] if spread > row["deviation"] else row["below"]
            left = tuple(word for word in verdict.variants if word in side["variants"])
            if left:
                verdict.variants = left
                verdict.tell("peek_deviation", name=name, value=spread, limit=row["deviation"],
                             what=" / ".join(left))  # fmt: skip
                return {"type": side["prediction"], "name": name}
    return {}
