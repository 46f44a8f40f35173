"""Embeddings of A1111: what lies in a dictionary of their pickles is one tensor in safetensors.

A loader of the safetensors form wants a single tensor, and takes the word that calls the embedding
from the file's name; the number of the token that it was trained with says nothing.
Source: AUTOMATIC1111 modules/textual_inversion/textual_inversion.py, create_embedding_from_data.
"""

from __future__ import annotations

from typing import Final

from kanna.errors import Incompatible
from kanna.ops.draft import Draft

_VECTORS: Final = "string_to_param."
_NUMBER: Final = "string_to_token."
_NAME: Final = "emb_params"


def flatten(draft: Draft) -> None:
    """Give the vectors of an embedding the name that loaders of safetensors know.

    Raises:
        Incompatible: the file holds the vectors of several words, which only a pickle can.
    """
    if draft.identity.part("embedding") is None:
        return
    vectors = [name for name in draft.outputs if name.startswith(_VECTORS)]
    if not vectors:
        return
    if len(vectors) > 1:
        raise Incompatible("convert.several_embeddings", path=draft.model.path, count=len(vectors))
    draft.remove([name for name in draft.outputs if name.startswith(_NUMBER)])
    draft.rename({vectors[0]: _NAME})
    draft.done["embedding"] = _NAME
    draft.note("convert.embedding_flattened", name=_NAME)
