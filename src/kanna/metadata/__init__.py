"""What a file says about itself, in words and images beside its weights.

::

    history     what an output says of how it was made; digests kept true
    modelspec   the fields of ModelSpec: names, duties, whether a value has the form (`forms`)
    filling     what the identity of a file says in the words of ModelSpec
    training    what kohya's trainers wrote, for people
    grouping    whose fields are whose
    keeping     which fields loaders need, and which tell more than their owner may want
    companions  what lies beside a file: user metadata, what was fetched from Civitai, previews
    importing   what of that can stand in the file itself
    thumbnail   pictures small enough for a header

The tables are `modelspec.toml` (fields, architectures) and `fields.toml` (everybody else's fields).
"""

from __future__ import annotations

from kanna.metadata.history import HISTORY, Metadata, extended, history

__all__ = ["HISTORY", "Metadata", "extended", "history"]
