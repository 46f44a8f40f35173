"""`kanna check`: help, and what stands around the findings."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ファイルの問題点と直し方を示します。",
    "help": "FILE の問題点、その理由、直すためのコマンドを示します。\n\n"
    "エラーか警告があれば終了コードは 1、何もないか参考だけなら 0 です。既定値は、作業フォルダーか設定フォルダーの "
    "kanna.toml の [check] に for、select、ignore として書けます。",
    "examples": "例:\n\n"
    "  kanna check model.ckpt --for generation\n\n"
    "  kanna check *.safetensors --deep --ignore KN8\n\n"
    "  kanna check model.safetensors --for distribution --json\n\n"
    "  kanna check models/*.ckpt --select KN1,KN203 --sarif > check.sarif",
    "option_for": "ファイルの用途（generation は生成、training は学習、distribution は配布）。その用途のルールを"
    "本来の重大度で判定します。省略すると、生成用のルールは参考として示します。",
    "option_deep": "すべての重みも読みます。NaN、fp16 の範囲超え、すべて 0 の重み、偽のハッシュ、VAE の識別番号を"
    "確かめます。",
    "option_select": "確かめるルール。KN2,KN301 のように、コードかその先頭を指定します。",
    "option_ignore": "確かめないルール。",
    "option_sarif": "コードスキャン用に SARIF 2.1.0 の文書を 1 つ出力します。",
    "two_documents": (
        "--json と --sarif は同時に指定できません。",
        "どちらか一方を指定してください。",
    ),
    "settings_unreadable": (
        "設定ファイル {path} を読めません: {reason}。",
        "UTF-8 の TOML として正しく書き直してください。",
    ),
    "settings_key": (
        "設定ファイル {path} の [check] にある「{key}」という設定はありません。",
        "使えるのは {keys} です。",
    ),
    "settings_value": (
        "設定ファイル {path} の「{key}」が {value} になっています。",
        "次に合わせて書き直してください: {wanted}",
    ),
    "for_generation": "生成用",
    "for_training": "学習用",
    "for_distribution": "配布用",
    "for_nothing": "用途の指定なし",
    "severity_error": "エラー",
    "severity_warning": "警告",
    "severity_note": "参考",
    "nothing": "問題は見つかりませんでした",
    "summary": "指摘は {count} 件です。",
    "summary_mendable": "下のコマンドで {count} 件を直せます。",
    "summary_left": "{count} 件はご自身での対処が必要です。",
    "others": "--for generation を付けると、さらに {count} 件を直せます。",
    "more_names": "、ほか {count} 個",
    "saving": "{size} 小さくなります。",
    "no_purpose": "用途（--for generation、training、distribution）を指定すると、その用途のルールを本来の重大度で判定します。",
}
