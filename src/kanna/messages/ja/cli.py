"""The command line itself: help, options, usage errors."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "help": "kanna は画像生成モデルのファイル（Stable Diffusion、FLUX、AuraFlow、Sana とその周辺）を"
    "調べ、直し、マージし、作り変える道具です。\n\nファイルの中のコードを実行することはなく、元のファイルを変更する"
    "こともありません。例外は、そう指示したときだけです。`kanna meta` はモデルのメタデータを（重みには触れません）、"
    "`kanna infotext … --in-place` は画像のテキストを（画像データには触れません）書き換えます。",
    "epilog": "kanna VERB --help で各コマンドの説明と例が読めます。",
    "usage_prefix": "使い方: ",
    "options": "オプション",
    "verbs": "コマンド",
    "error": "エラー:",
    "option_help": "この説明を表示します。",
    "option_version": "バージョンを表示します。",
    "option_lang": "表示する言語。",
    "option_json": "レポートの代わりに JSON を 1 つ出力します。",
    "option_quiet": "エラーだけを表示します。",
    "option_verbose": "すべてのテンソル名や判定の根拠まで詳しく表示します。",
    "unknown_verb": (
        "'{verb}' というコマンドはありません。",
        "kanna --help でコマンドの一覧を確認できます。",
    ),
    "unknown_verb_near": (
        "'{verb}' というコマンドはありません。",
        "'{near}' ではありませんか？",
    ),
    "no_such_option": (
        "{option} というオプションはありません。",
        "--help を付けるとオプションの一覧が表示されます。- で始まる名前のファイルは、前に ./ を付けて指定してください。",
    ),
    "no_such_scheme": (
        "{url}: {scheme} で始まる URL は読み込めません。",
        "このマシン上のパスか、https://、hf://、s3:// で始まる URL を指定してください。",
    ),
    "missing_parameter": (
        "{name} が指定されていません。",
        "--help を付けると使い方が表示されます。",
    ),
    "no_such_word": (
        "{name} に指定できるのは {words} のどれかです。",
        "--help を付けると説明が表示されます。",
    ),
    "no_number": (
        "{name} には数値を指定してください。",
        "0.5 のように、小数点はピリオドで書きます。",
    ),
    "no_whole_number": (
        "{name} には整数を指定してください。",
        "--help を付けると説明が表示されます。",
    ),
    "not_in_range": (
        "{name} には {least} から {most} までの数値を指定してください。",
        "--help を付けると説明が表示されます。",
    ),
    "too_small": (
        "{name} には {least} 以上の数値を指定してください。",
        "--help を付けると説明が表示されます。",
    ),
    "bad_parameter": (
        "{name} の指定が正しくありません: {reason}",
        "--help を付けると指定できる値が表示されます。",
    ),
    "usage": (
        "コマンドの書き方が正しくありません: {reason}",
        "--help を付けると使い方が表示されます。",
    ),
    "no_output": (
        "結果を出力できません: {reason}。",
        "標準出力のリダイレクト先を確認してください。",
    ),
    "bracketed": "{text}（{more}）",
    "counted": "{total:,} 件中 {done:,} 件",
    "interrupted": (
        "中止しました。",
        "作りかけのファイルは残っていません。元のファイルもそのままです。",
    ),
}
