"""What a merge method needs and takes, in words: for lists, pages and docs."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from kanna.families.pages import spoken
from kanna.merging.method import Method, Parameter, Spoken
from kanna.messages import say, shown


def text_of(text: Spoken | str) -> str:
    """Return a text in the language in force, safe to print: plug-ins bring their own."""
    said = text if isinstance(text, str) else spoken(text)
    return said if said.isprintable() else shown(said)


def needs_text(method: Method) -> str:
    """Return how many models it merges, and whether it takes a base."""
    if method.models is None:
        models = say("methods.two_or_more")
    else:
        models = say("methods.one" if method.models == 1 else "methods.models", count=method.models)
    return models if method.base == "none" else say(f"methods.base_{method.base}", models=models)


def parameters_text(method: Method) -> str:
    """Return the parameters of `method`, each with its default and its range."""
    return " · ".join(map(parameter_text, method.parameters))


def parameter_text(one: Parameter) -> str:
    """Return a parameter as ``alpha 0.5 (0–1)``."""
    return " ".join(filter(None, [one.name, default_text(one), _in_brackets(range_text(one))]))


def default_text(one: Parameter) -> str:
    """Return a parameter's default as people type it, nothing where there is none."""
    if one.default is None:
        return ""
    if isinstance(one.default, bool | str):
        return str(one.default).lower()
    return f"{one.default:g}"


def range_text(one: Parameter) -> str:
    """Return what values a parameter can have, nothing where it is any number."""
    if one.kind == "word":
        return " | ".join(one.words)
    least = -inf if one.least is None else one.least
    most = inf if one.most is None else one.most
    if least == -inf:
        return "" if most == inf else f"≤ {most:g}"
    return f"≥ {least:g}" if most == inf else say("methods.range", least=least, most=most)


def example_words(method: Method) -> Sequence[str]:
    """Return a command line that uses `method`."""
    count = method.models or 2
    words = [
        "kanna",
        "merge",
        method.name,
        *(f"{letter}.safetensors" for letter in "ABCDEFGH"[:count]),
    ]
    if method.base != "none":
        words += ["--base", "BASE.safetensors"]
    return [*words, *_options(method, count), "-o", "OUT.safetensors"]


def _options(method: Method, count: int) -> list[str]:
    """Return the first parameter that is set as a rule, or the first two: weights and another."""
    words: list[str] = []
    for one in method.parameters:
        if one.name == "alpha":
            return ["--alpha", default_text(one) or "0.5"]
        if one.name == "weights":
            words = ["--weights", ",".join(f"{1 - n / 10:g}" for n in range(count))]
        elif one.kind in {"number", "count"} and one.default is not None:
            return [*words, "--set", f"{one.name}={default_text(one)}"]
    return words


def _in_brackets(text: str) -> str:
    return f"({text})" if text else ""
