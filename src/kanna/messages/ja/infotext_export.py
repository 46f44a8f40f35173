"""`kanna infotext export`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "フォルダー内の生成情報をまとめて txt、JSON、CSV に書き出します。",
    "help": "画像の生成情報を書き出します。txt は 1 枚ごとに同じ名前の .txt へテキストをそのまま、json は JSON 文書、csv は 1 枚 1 行の表です。画像のフォルダーはテキストのフォルダーになります。拡張子だけが違う同名の画像は、拡張子を残します（a.png.txt）。\n\n形式は --to がなければ OUT の拡張子で決まります。csv では、表計算ソフトが数式として実行してしまう文字列（= + - @ で始まるもの）の先頭にアポストロフィを付けます。txt と json では 1 文字も変わりません。",
    "examples": "例:\n\n  kanna infotext export outputs/ -r -o prompts.csv --excel\n\n  kanna infotext export outputs/ -o texts/\n\n  kanna infotext export outputs/ --beside\n\n  kanna infotext export picture.png -o picture.json",
    "option_output": "書き出すファイル。フォルダーなら 1 枚ごとにファイルを作ります。",
    "option_to": "書き出す形式。省略すると OUT の拡張子で決まり、なければ txt です。a1111 では、どのプログラムの画像でも A1111 の形式にします。",
    "option_beside": "それぞれの画像と同じフォルダーに書き出します。",
    "option_excel": "CSV の先頭に BOM を付け、Excel で文字化けしないようにします。",
    "suffix": (
        "{name} は、書き出す形式に合わない名前です。",
        "{suffix} で終わる名前にするか、--to で別の形式を指定してください。",
    ),
    "where": (
        "書き出し先がないか、2 つ指定されています。",
        "-o か --beside のどちらか一方を指定してください。",
    ),
    "one_table": (
        "CSV は 1 つのファイルです。",
        "-o prompts.csv のように名前を指定してください。",
    ),
    "written": "{path} を書き込みました。",
    "planned": "{path} を書き込む予定です。",
    "written_all": "{path} を書き込みました（{count:,} 枚）。",
    "planned_all": "{path} を書き込む予定です（{count:,} 枚）。",
    "others": "テキストファイルに入るのは 1 つだけなので、次のものは含まれません: {names}",
}
