"""About bringing a model into another layout."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "beside": (
        "“{name}” stands beside {weight}, which the other layout cuts apart, joins or turns.",
        "The model is quantised: bring it to fp16 first with kanna convert --dtype fp16.",
    ),
    "lacks": (
        "“{name}” cannot be made: {missing} is missing.",
        "The file seems to be damaged, or only a part of a model: look at it with kanna check.",
    ),
    "unclear": (
        "How the blocks of this model go together is not clear: look at {name}.",
        "The file seems to be damaged, or only a part of a model: look at it with kanna check.",
    ),
    "unfit": (
        "These tensors cannot be brought into the other layout: {what}.",
        "If they are quantised, bring them to fp16 first with kanna convert --dtype fp16; if not, the file seems to be damaged: look at it with kanna check.",
    ),
}
