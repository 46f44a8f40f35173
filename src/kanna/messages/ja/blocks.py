"""Weights by block, in Japanese."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "translated": (
        "{count} 個の層別ウェイトは {of} 用のリストです。このモデルでは、同じ名前のブロックの "
        "{left} 個を使います（{dropped} はありません）。"
    ),
    "wrong_count": (
        "{count} 個の層別ウェイトは、このモデルに合いません。",
        "{lengths} 個の数値か、{example}=0.3 のようなルールを指定してください。ブロックは {known} です。",
    ),
    "no_lists": (
        "このモデルのブロックには決まった順番がないため、{count} 個の層別ウェイトは使えません。",
        "{example}=0.3 のように、名前で指定してください。ブロックは {known} です。",
    ),
    "no_depth": (
        "このモデルには番号の付いたブロックがないため、プリセット {preset} を使えません。",
        "{example}=0.3 のように、名前で指定してください。ブロックは {known} です。",
    ),
    "no_such_block": (
        "このモデルにブロック {block} はありません。",
        "ブロックは {known} です。docs/blocks.ja.md も見てください。",
    ),
    "no_such_block_but": (
        "このモデルにブロック {block} はありません。",
        "{near} のことですか。ブロックは {known} です。docs/blocks.ja.md も見てください。",
    ),
    "none_named": (
        "{text} にはブロックの名前がありません。",
        "数値の前に名前を書いてください。ブロックは {known} です。",
    ),
    "too_long": (
        "層別ウェイトやエレメントのルールが {length} 文字あります。上限は {most} 文字です。",
        "IN00-05=0.3 や OUT*=0.7 のような範囲やパターン、またはプリセットを使ってください。",
    ),
    "no_number": (
        "{where} の {number} は数値ではありません。",
        "0.5 のように、数字で書いてください。",
    ),
    "no_such_preset": (
        "層別ウェイトのプリセット {preset} はありません。",
        "{near} のことですか。ルールは IN00-05=0.3 のように書きます。一覧は docs/blocks.ja.md にあります。",
    ),
    "no_rule": (
        "{rule} は層別ルールとして読めません。",
        "IN00-05=0.3 のように「ブロック=数値」で書いてください。ブロックは {known} です。",
    ),
    "no_element": (
        "{rule} はエレメントのルールとして読めません。",
        "attn2=0.2 や IN07:attn2=0.2 のように、名前の一部と数値を書いてください。",
    ),
    "no_adjust": (
        "{architecture} は潜在空間がわからないため、調整できません。",
        "adjust が使えるのは {known} の拡散モデルです。",
    ),
}
