"""`kanna recipe of`: help."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルの中のレシピを書き出します。",
    "help": "FILE のメタデータにあるレシピを、kanna run で使える TOML として書き出します。kanna のレシピがなければ A1111、SuperMerger、sd-mecha が残したものを読みます。ファイルは SHA-256 とフォルダーなしの名前で書かれています。レシピがなければ終了コード 3 で終わります。",
    "examples": "例:\n\n  kanna recipe of merged.safetensors\n\n  kanna recipe of merged.safetensors | kanna run - --models models/ -o again.safetensors",
}
