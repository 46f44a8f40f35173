"""`kanna recipe check`: help."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "レシピに誤りがないか調べます。",
    "help": "RECIPE の名前、マージ方法、数値、出力の指定に誤りがないか調べます。RECIPE はファイルでも、レシピを持つモデルでもかまいません。--models を指定すると元のモデルも探し、見つからなければ終了コード 3、レシピと違うファイルなら 13 で終わります。",
    "examples": "例:\n\n  kanna recipe check recipe.toml\n\n  kanna recipe check merged.safetensors --models models/",
}
