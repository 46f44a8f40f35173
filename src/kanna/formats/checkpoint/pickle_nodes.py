"""What a pickle is made of when nothing in it is run: plain data and three inert nodes.

A `Global` is a pair of strings, never an import. A `Call` says that a loader would call something;
here it is a value like any other. Nodes compare and hash by identity, so a stranger's data never
decides how long a comparison takes.
"""

from __future__ import annotations

from typing import Final

# What Python 2 and older releases of numpy and torch called the same modules.
_MODULES: Final = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
    "torch.tensor": "torch._tensor",
}
# Names of Python 2, as which protocols 0 to 2 write today's builtins.
_NAMES: Final = {"__builtin__": {"long": "int", "unicode": "str", "xrange": "range"}}


class Global:
    """The name of a class or function: two strings; one object per pair and stream.

    `dotted` is both in today's spelling, by which tables list it.
    """

    __slots__ = ("dotted", "module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name
        plain = _NAMES.get(module, {}).get(name, name)
        self.dotted = f"{_MODULES.get(module, module)}.{plain}"


class PersistentId:
    """A reference to something outside the stream, which torch uses for its storages."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def global_of(node: object) -> Global | None:
    """Return the global that `node` is, or that it wraps; None if it is none.

    Legacy files wrap classes of modules in persistent ids, together with their source code.
    """
    if type(node) is PersistentId and type(node.value) is tuple:
        return next((part for part in node.value[:2] if type(part) is Global), None)
    return node if type(node) is Global else None


class Call:
    """What a loader would make by calling `function`; all that the stream says about it.

    `items` are key-value pairs set on it, `appended` the elements appended or added to it,
    `states` what ``BUILD`` would have handed to it, in order.
    """

    __slots__ = ("appended", "arguments", "function", "items", "keywords", "states")

    def __init__(
        self,
        function: Global | Call | PersistentId,
        arguments: tuple[object, ...],
        keywords: dict[object, object] | None = None,
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.keywords = keywords
        self.items: dict[object, object] | None = None
        self.appended: list[object] | None = None
        self.states: list[object] | None = None
