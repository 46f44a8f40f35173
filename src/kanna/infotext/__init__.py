"""How pictures were made: the dialects of generation data.

`open_texts` takes what a picture says, `open_text` what a file beside it says; both return an
`Editable` of the dialect. Which one it is follows from the table of `kanna.infotext.detecting`::

    a1111        A1111, Forge, SD.Next, Civitai: one grammar, read by `a1111` and its neighbours
    comfyui      graphs: `comfyui_graph` (prompt), `comfyui_workflow` (workflow), `comfyui_walk`
                 (from the saved picture to whatever made it), `comfyui_nodes.toml` (what nodes do)
    invokeai, novelai, fooocus, swarmui, easydiffusion, drawthings, midjourney
                 one module each

A picture of ComfyUI whose saving node wrote A1111's text, too, is both (`comfyui_both`).
"""

from __future__ import annotations

from collections.abc import Sequence

from kanna.infotext.editable import Editable
from kanna.pictures.picture import PictureText

__all__ = ["open_text", "open_texts"]


def open_texts(texts: Sequence[PictureText]) -> Editable | None:
    """Return how a picture was made, from its texts; None where they do not say."""
    from kanna.infotext.detecting import open_with_table

    return open_with_table(texts) if texts else None


def open_text(text: str) -> Editable | None:
    """Return how a picture was made, from the text of a file beside it; None where it is empty.

    JSON is told by what is in it; any other text is a prompt at least. Its `texts()` has one text,
    in the place where a PNG would have it.
    """
    from kanna.infotext.sidecars import open_sidecar

    return open_sidecar(text)
