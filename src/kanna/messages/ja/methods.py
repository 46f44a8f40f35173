"""`kanna methods`, and the pages of merge methods."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "マージ方法の一覧を表示します。",
    "help": "kanna merge で使えるマージ方法の一覧です。必要なモデルの数、ベースの有無、向いている用途、"
    "パラメーターの既定値と範囲がわかります。\n\nWORD を指定すると、そのすべてに関係するものだけに絞り込みます。"
    "名前、ほかのプログラムでの名前、パラメーター、論文で絞り込めます。",
    "examples": "例:\n\n  kanna methods\n\n  kanna methods density\n\n  kanna methods --json ties\n\n"
    "  kanna explain ties",
    "more": "詳しい説明は kanna explain METHOD で表示できます。パラメーターは --set NAME=VALUE で指定します。",
    "none": (
        "{words} に当てはまるマージ方法はありません。",
        "語を減らすか、kanna methods だけで全体を表示してください。",
    ),
    "one": "モデル 1 つ",
    "models": "モデル {count} つ",
    "two_or_more": "モデル 2 つ以上",
    "base_required": "{models} + ベース",
    "base_optional": "{models}（+ ベース）",
    "range": "{least:g}〜{most:g}",
    "kind_linear": "加重和（torch 不要、ディスクの速さで処理）",
    "kind_elementwise": "要素ごとの計算（torch が必要、メモリはわずか）",
    "kind_tensor": "テンソル全体の計算（torch が必要、最大のテンソル数個分のメモリを使用）",
    "random": "あり（--seed とテンソル名で決まり、順序やスレッド数では変わりません）",
    "row_formula": "計算式",
    "row_formula_of_many": "多数のモデル",
    "row_needs": "必要なもの",
    "row_kind": "計算の単位",
    "row_random": "乱数",
    "row_aliases": "別名",
    "row_sources": "出典",
    "section_parameters": "パラメーター",
    "section_example": "使用例",
    "column_parameter": "パラメーター",
    "column_default": "既定値",
    "column_range": "範囲",
    "column_text": "説明",
    "plugin_broken": "パッケージ {package} のマージ方法 {name} は、エラーになるため使えません: {reason}",
    "plugin_taken": "パッケージ {package} のマージ方法 {name} は使えません。{word} "
    "という名前のマージ方法がすでにあります。",
    "left_out": (
        "マージ方法 {method} は使えません。{reason}",
        "パッケージを更新するか削除してください。使えるマージ方法は kanna methods で確認できます。",
    ),
    "page_title": "マージ方法",
    "page_other": "English: [methods.md](methods.md)",
    "page_intro": "`kanna merge METHOD` で使えるマージ方法です。A、B、C は指定した順のモデル、X はそのうちの任意の "
    "1 つ、base は `--base` で指定したモデルです。計算式の文字がモデルの数より 1 つ多い場合は、最後の文字がベースです。"
    "数値はブロックごとに変えられます。パラメーターは `--set NAME=VALUE` で指定します（`--alpha` と `--weights` "
    "も使えます）。和は fp64、それ以外は fp32（角度や長さで決まるものは fp64）で計算し、丸めるのは最後の 1 回だけです。\n\n"
    "ほかのパッケージからマージ方法を追加することもできます: [methods-plugins.md](methods-plugins.md)",
}
