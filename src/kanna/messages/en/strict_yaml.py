"""About YAML files: the configurations beside models."""

from __future__ import annotations

from typing import Final

_PLAIN: Final = "Only plain data is read; write the file without it."

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "too_long": (
        "{path} is longer than {limit:,} bytes, too long for a configuration.",
        "Give the configuration of a model.",
    ),
    "invalid": ("{path} is not valid YAML ({reason}).", "Correct it, or download it again."),
    "no_mapping": (
        "{path} is YAML, but not keys with values.",
        "Give the configuration of a model.",
    ),
    "documents": ("{path} holds more than one YAML document.", _PLAIN),
    "crowded": ("{path} holds more values, or nests them deeper, than a configuration.", _PLAIN),
    "alias": ("{path} uses anchors or aliases.", _PLAIN),
    "tag": ("{path} asks for an object by the tag {tag}.", _PLAIN),
    "key": ("{path} has a key that is doubled or can be none: {name}.", _PLAIN),
}
