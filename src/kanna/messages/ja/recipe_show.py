"""`kanna recipe show`: help."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "レシピの内容を表示します。",
    "help": "RECIPE のモデルとその有無、ステップと数値、出力の指定を表示し、わかる範囲で、元のモデルのさらに元になったモデルも示します。RECIPE はファイルでも、レシピを持つモデルでもかまいません。ハッシュを計算するのは、元のモデルの可能性があるファイルだけです。",
    "examples": "例:\n\n  kanna recipe show merged.safetensors --models models/\n\n  kanna recipe show recipe.toml --json",
}
