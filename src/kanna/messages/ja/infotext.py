"""`kanna infotext`: how pictures were made."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "画像の生成情報（infotext）を読み書きします。",
    "help": "A1111、Forge、SD.Next、ComfyUI、NovelAI、InvokeAI、Fooocus、SwarmUI、Easy Diffusion、Draw Things が画像に埋め込む生成情報を読み取り、書き込み、編集、削除します。画像データには手を加えません。",
    "examples": "例:\n\n  kanna infotext show picture.png\n\n  kanna infotext export outputs/ -o prompts.csv\n\n  kanna infotext strip picture.png -o clean.png",
}
