"""What the dialects of generation data say of a picture's texts."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "no_json": (
        "テキストが正しい JSON ではありません: {reason}。",
        "生成情報として編集できません。kanna infotext show で内容を確認してください。",
    ),
    "too_deep": (
        "JSON の入れ子が {limit} 段を超えています。",
        "このようなテキストを書くプログラムはないため、変更せずに残します。",
    ),
    "too_long": (
        "テキストが {limit} 文字を超えているか、値の数が数百万に達しています。",
        "このようなテキストを書くプログラムはないため、変更せずに残します。",
    ),
    "no_such_place": (
        "JSON に「{name}」がありません。",
        "kanna infotext show に表示される項目を指定してください。",
    ),
    "no_place": (
        "この生成情報（{program}）には「{name}」を書ける場所が一つに決まりません。",
        "kanna infotext show に表示される項目を指定してください。",
    ),
    "not_removable": (
        "「{name}」は削除できません。なくなると生成情報が意味を失います。",
        "別の値に変更するか、kanna infotext strip で画像から生成情報を取り除いてください。",
    ),
    "wrong_type": (
        "「{value}」は「{name}」に指定できる値ではありません。",
        "現在の値と同じ種類（数値、true/false、JSON）で指定してください。",
    ),
    "one_line": (
        "「{value}」には改行がありますが、ここには 1 行しか書けません。",
        "1 行で指定してください。",
    ),
    "unreadable": "{name} のテキストは壊れているか未知の形式のため、何も読み取れませんでした。",
}
