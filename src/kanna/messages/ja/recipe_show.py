"""`kanna recipe show`: help."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "レシピの内容を表示する。",
    "help": "RECIPE のモデルとその有無、ステップと数、出力の指定、分かる範囲で元のモデルのさらに元になったモデルを表示します。RECIPE はファイルでも、レシピを持つモデルでもかまいません。計算するのは、元のモデルかもしれないファイルのハッシュだけです。",
    "examples": "例:\n\n  kanna recipe show merged.safetensors --models models/\n\n  kanna recipe show recipe.toml --json",
}
