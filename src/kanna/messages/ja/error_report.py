"""The error report: how far a lossy conversion moved the numbers."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "title": "ブロックごとの量子化誤差",
    "legend_block": "ブロックの相対 RMS 誤差",
    "legend_worst": "ブロック内で誤差が最も大きいテンソル",
    "legend_overall": "全体",
    "exact": "誤差なし",
    "picture_description": "{blocks:,} ブロック（{tensors:,} テンソル）の誤差を対数目盛で示した棒グラフです。全体の相対 RMS 誤差は {rms} です。",
    "picture_overall": "相対 RMS 誤差 {rms}、コサイン類似度 {cosine}、最大誤差 {largest}",
    "picture_row": "{name}: 相対 RMS 誤差 {rms}、コサイン類似度 {cosine}、最大誤差 {largest}、テンソル数 {tensors:,}",
    "picture_note": "対数目盛。相対 RMS 誤差は、変化の大きさを元の重みの大きさで割った値です。",
    "picture_more": "ほかの {count:,} ブロックは省略しました。",
    "heading": "量子化誤差",
    "column_block": "ブロック",
    "column_tensor": "誤差の大きいテンソル",
    "column_rms": "相対 RMS",
    "column_largest": "最大誤差",
    "column_cosine": "コサイン",
    "overall": "全体",
    "more_blocks": "ほかに {count:,} ブロックあります（-v ですべて表示）",
    "nothing_lost": "数値は変わっていません。",
}
