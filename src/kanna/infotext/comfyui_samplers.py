"""Which sampler of a graph made the saved picture, and with what prompts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kanna.infotext.comfyui_graph import Link, Node
from kanna.infotext.comfyui_said import Said, text_in
from kanna.infotext.comfyui_walk import Literal, Output, Walk
from kanna.infotext.values import text_of

_SETTINGS: Final = (
    {"seed", "noise_seed", "noise"},
    {"steps", "sigmas"},
    {"cfg", "guider", "cfg_scale"},
    {"sampler_name", "sampler"},
    {"denoise", "scheduler"},
)
_MAX_TEXTS: Final = 200  # of one prompt
_MAX_ENDS: Final = 50


class Samplers(NamedTuple):
    """The sampler that the saved picture comes from, and the others that it needed."""

    main: Node | None
    others: tuple[Node, ...]
    # All nodes that the picture follows from, the nearest to the main sampler first.
    used: tuple[Node, ...]


def find_samplers(walk: Walk) -> Samplers:
    """Return the samplers behind the picture that is saved.

    Of several pictures it is the one that needed the most samplers: the last step of the work.
    """
    ends = _ends(walk)[:_MAX_ENDS]
    found = [(main, walk.before(end)) for end in ends for main in (_main(walk, end),)]
    main, used = max(
        found,
        key=lambda one: (one[0] is not None, sum(_is_sampler(walk, node) for node in one[1])),
        default=(None, []),
    )
    if main is None:
        main = next((node for node in walk.graph.values() if _is_sampler(walk, node)), None)
    main = main and _begun(walk, main)
    nearest = walk.before(main) if main else []
    ordered = dict.fromkeys(node.id for node in (*nearest, *used, *([] if ends else _every(walk))))
    nodes = tuple(walk.graph[key] for key in ordered)
    others = (node for node in nodes if node is not main and _is_sampler(walk, node, details=True))
    return Samplers(main, tuple(others), nodes)


def _every(walk: Walk) -> Iterator[Node]:
    yield from walk.graph.values()


def _ends(walk: Walk) -> list[Node]:
    """Return the nodes that save; else those that show; else those that nothing follows."""
    for role in ("save", "preview"):
        ends = [node for node in walk.graph.values() if _is_end(walk, node, role)]
        if ends:
            return ends
    taken = {link.node for node in walk.graph.values() for link in node.links().values()}
    return [node for node in walk.graph.values() if node.id not in taken and node.links()]


def _is_end(walk: Walk, node: Node, role: str) -> bool:
    if walk.row(node).role == role:
        return bool(node.links())
    return role == "save" and "filename_prefix" in node.inputs and bool(node.links())


def _main(walk: Walk, end: Node) -> Node | None:
    """Return the sampler nearest to an end; one that makes parts anew only if no other is there."""
    before = list(walk.upstream(end, None, walk.table.walking["aside"]))
    for details in (False, True):
        for node in before:
            if _is_sampler(walk, node, details=details):
                return node
    return None


def _begun(walk: Walk, sampler: Node) -> Node:
    """Return the sampler whose noise this one goes on with, where it adds none itself."""
    for node in walk.upstream(sampler, walk.table.walking["latents"]):
        if _is_sampler(walk, node) and not _is_silent(walk, node):
            return node
    return sampler


def _is_silent(walk: Walk, sampler: Node) -> bool:
    said, noise = walk.value(sampler, "add_noise"), sampler.inputs.get("noise")
    if said is not None and str(said.value).lower() in {"disable", "false"}:
        return True
    made = walk.follow(noise) if isinstance(noise, Link) else None
    return isinstance(made, Output) and walk.row(made.node).role == "silence"


def _is_sampler(walk: Walk, node: Node, *, details: bool = False) -> bool:
    role = walk.row(node).role
    if role in {"sampler", "detailer"}:
        return details or role == "sampler"
    if node.kind in walk.table.rows:
        return False
    leads = node.links().keys() & {"model", "positive", "guider", *walk.table.walking["bundles"]}
    return bool(leads) and sum(bool(some & node.inputs.keys()) for some in _SETTINGS) >= 3


def prompts_of(walk: Walk, sampler: Node, side: str) -> list[Said]:
    """Return the texts that a sampler's prompt (`side` positive, or negative) is made of."""
    through = (*walk.table.walking["guides"], *walk.table.walking["bundles"])
    for node in walk.upstream(sampler, through):
        for name in walk.table.walking[side]:
            if name in node.inputs:
                return _said(walk, node, name, side)
    return []


def _said(walk: Walk, start: Node, name: str, side: str) -> list[Said]:
    """Return the texts before an input, in the order of the inputs that they come through."""
    texts: list[Said] = []
    seen: set[str] = set()
    stack = [(start, name)]
    while stack and len(texts) < _MAX_TEXTS:
        node, one = stack.pop()
        value = node.inputs[one]
        found = walk.follow(value) if isinstance(value, Link) else Literal(value, node.id, one)
        if isinstance(found, Literal):
            text = text_of(found.value)
            texts += [] if text is None else [Said(text, (found,))]
        elif isinstance(found, Output) and found.node.id not in seen:
            seen.add(found.node.id)
            own = _own_texts(walk, found.node, side)
            texts += own
            if not own:
                stack += [(found.node, way) for way in reversed(_ways(walk, found.node, side))]
    return texts


def _own_texts(walk: Walk, node: Node, side: str) -> list[Said]:
    """Return what a node itself says, the main text first, each text once."""
    if side in node.inputs:
        return []
    known = walk.row(node).texts
    names = walk.table.walking["texts"] if known is None else known
    said = [text_in(walk, node, name) for name in names if name in node.inputs]
    return [one for one in said if one is not None]


def _ways(walk: Walk, node: Node, side: str) -> list[str]:
    """Return the inputs of a node that lead on to the prompt."""
    if walk.row(node).role == "stop":
        return []
    if side in node.inputs:
        return [side]
    other = "negative" if side == "positive" else "positive"
    apart = {other, *walk.table.walking["apart"]}
    return [name for name in node.links() if name not in apart]
