"""`kanna merge`: ヘルプ、計画の説明、断る理由。"""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "needs_torch": (
        "マージ方式 {method} には torch が必要ですが、インストールされていません。",
        '次のコマンドでインストールしてください: pip install "kanna[torch]"',
    ),
    "no_device": (
        "この環境の torch ではデバイス {device} を使えません。",
        "--device を外すか、そのデバイスに対応した torch をインストールしてください。",
    ),
    "no_such_method": (
        "マージ方式 {method} はありません。",
        "{near} のことですか。一覧は kanna methods で見られます。",
    ),
    "shapes_differ": (
        "{name} の形が、1 つ目のモデルでは {first}、別のモデルでは {second} です。",
        "同じアーキテクチャのモデルをマージしてください。入力チャンネルが多いモデルは先頭に置きます。",
    ),
    "not_in_a1111": (
        "A1111 には、この数のモデルに使える方式 {method} がありません。",
        "--compat を外すか、次のどれかを選んでください: {known}",
    ),
    "no_such_parameter": (
        "マージ方式 {method} にパラメーター {parameter} はありません。",
        "使えるのは次のとおりです: {known}",
    ),
    "wrong_count": (
        "{method} の {parameter} は {count} 個ですが、モデルは {models} 個あります。",
        "モデルごとに 1 つずつ指定してください。",
    ),
    "parameter_missing": (
        "マージ方式 {method} には {parameter} の値が必要です。",
        "kanna explain {method} を見てください。",
    ),
    "parameter_kind": (
        "{method} の {parameter} に {value} は指定できません。",
        "種類は {kind}（{words}）です。kanna explain {method} を見てください。",
    ),
    "parameter_range": (
        "{method} の {parameter} に {value} は指定できません。範囲は {least}〜{most} です。",
        "この範囲の数を指定してください。",
    ),
}
