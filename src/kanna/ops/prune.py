"""Take out known junk: what the tables name as useless, and nothing else.

What is not recognised is kept and told; empty tensors are always kept, because they are markers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kanna.families import tables
from kanna.families.schedule import holds_schedule
from kanna.identity import JunkGroup
from kanna.messages import size_text
from kanna.ops.draft import Draft

# Small numbers worth a place in the record: some programs tell SD 2 variants by the step count.
_WORTH_RECORDING: Final = ("epoch", "global_step", "pytorch-lightning_version")


def prune(draft: Draft) -> None:
    """Leave out the junk groups that the tables say are safe to leave out."""
    for group in draft.identity.junk:
        names = [name for name in group.names if _is_junk(draft, group, name)]
        if not names:
            continue
        size = draft.remove(names)
        draft.note(
            "convert.junk_dropped", group=group.group, count=len(names), size=size_text(size)
        )
    if draft.identity.unrecognised:
        names_kept = draft.identity.unrecognised
        draft.note("convert.unrecognised_kept", warning=True, count=len(names_kept),
                   name=names_kept[0])  # fmt: skip
    draft.done["pruned"] = True
    draft.tags.append("pruned")


def _is_junk(draft: Draft, group: JunkGroup, name: str) -> bool:
    """Whether pruning takes this tensor: never an empty one, never a changed schedule."""
    tensor = draft.model[name]
    if not group.prune or not tensor.numel or name not in draft.outputs:
        return False
    if group.standard and not holds_schedule(tensor, group.standard):
        draft.note("convert.schedule_kept", warning=True, name=name)
        return False
    return True


def drop_trainer_state(draft: Draft, *, keep: bool) -> Mapping[str, object]:
    """Return what the output carries beside its tensors, and record what it does not.

    With `keep`, everything but trainer state stays; else only the record remembers the steps.
    """
    extras = draft.model.extras
    recorded = {
        key: extras[key] for key in _WORTH_RECORDING if isinstance(extras.get(key), int | str)
    }
    if recorded:
        draft.done["training"] = recorded
    trainer = tables()["everywhere"]["trainer"]
    dropped = [key for key in extras if key in trainer["state"] or key in trainer["settings"]]
    if dropped:
        draft.note("convert.trainer_state_dropped", names=", ".join(dropped))
    if not keep:
        return {}
    return {key: value for key, value in extras.items() if key not in dropped}
