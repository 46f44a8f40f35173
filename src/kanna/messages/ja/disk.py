"""About files on disk."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "missing": ("{path} というファイルはありません。", "パスを確認してください。"),
    "unreadable": ("{path} を開けません: {reason}。", "パスとアクセス権を確認してください。"),
    "not_a_file": (
        "{path} は通常のファイルではありません。",
        "モデルファイル、diffusers フォルダー、または *.index.json を指定してください。",
    ),
    "no_folder": (
        "フォルダー {path} を作れません: {reason}。",
        "別のフォルダーを指定してください。",
    ),
    "unwritable": (
        "{path} に書き込めません: {reason}。",
        "空き容量を増やすか、別のフォルダーを指定してください。",
    ),
    "ends_early": (
        "{path} はヘッダーの記載より手前の {offset} バイト目で終わっています。",
        "ファイルが途中で切れているか、読み込み中に変更されました。もう一度ダウンロードまたはコピーしてください。",
    ),
    "half_written": (
        "{path} の編集が途中で中断されたままで、元に戻すことができません: {reason}。",
        "ファイルとフォルダーに書き込めるようにして、このファイルに対して kanna のコマンドをもう一度実行してください。元のヘッダーに戻ります。",
    ),
    "foreign_undo": (
        "{undo} は中断された編集を元に戻すためのファイルですが、{path} とは別のファイルのために作られたものです。",
        "{path} がコピーなら、コピーし直してください。{path} に問題がなければ {undo} を削除してください。",
    ),
    "being_edited": (
        "{path} は別の kanna が編集中です。",
        "終わるまで待ってから、もう一度実行してください。",
    ),
}
