"""`kanna merge`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "needs_torch": (
        "The merge method {method} needs torch, which is not installed.",
        'Install it with: pip install "kanna[torch]"',
    ),
    "no_device": (
        "torch has no device {device} here.",
        "Leave --device away, or install a torch that knows the device.",
    ),
    "no_such_method": (
        "There is no merge method {method}.",
        "Did you mean {near}? kanna methods lists them all.",
    ),
    "shapes_differ": (
        "{name} is {first} in the first model and {second} in another.",
        "Merge models of one architecture; where one has more input channels, put it first.",
    ),
    "not_in_a1111": (
        "A1111 has no merge method {method} for so many models.",
        "Leave --compat away, or take one of: {known}.",
    ),
    "no_such_parameter": (
        "The merge method {method} has no parameter {parameter}.",
        "It has: {known}.",
    ),
    "wrong_count": (
        "{parameter} of {method} has {count} numbers for {models} models.",
        "Give one number for each model.",
    ),
    "parameter_missing": (
        "The merge method {method} needs a value for {parameter}.",
        "See kanna explain {method}.",
    ),
    "parameter_kind": (
        "{parameter} of {method} cannot be {value}.",
        "It is a {kind} ({words}); see kanna explain {method}.",
    ),
    "parameter_range": (
        "{parameter} of {method} cannot be {value}: it lies between {least} and {most}.",
        "Give a number in this range.",
    ),
}
