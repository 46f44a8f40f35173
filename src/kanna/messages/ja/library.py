"""`kanna library`: the catalog of a collection."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルと画像をライブラリに登録し、検索、タグ付け、移動を行います。",
    "help": "フォルダー内のモデルと画像をライブラリで管理します。ライブラリは誰でも読める 1 つの SQLite ファイルです。ネットワークには接続しません。フォルダーの中身を変えるのは move、copy、rename、delete、trash だけです。",
    "examples": "例:\n\n  kanna library add ~/stable-diffusion-webui\n\n  kanna library scan\n\n  kanna library find sdxl anime\n\n  kanna library dupes",
    "option_library": "自分のライブラリの代わりにこのライブラリを使います（KANNA_LIBRARY でも指定できます）。",
    "no_such_file": (
        "ライブラリ {library} に「{text}」というファイルはありません。",
        "パス、番号（#12）、ハッシュの先頭 8 桁以上、またはファイル名で指定してください。一覧は kanna library list で見られます。",
    ),
    "several_files": (
        "{text} に当てはまるファイルが {count} 個あります: {files}",
        "番号（#12）かパスで 1 つに絞ってください。",
    ),
    "no_folder": (
        "フォルダー {path} がありません。",
        "パスを確かめてください。ディスクが接続されていないのかもしれません。",
    ),
    "not_a_folder": (
        "{path} はファイルです。",
        "そのファイルがあるフォルダーを指定してください。ファイルで指定できるのは ComfyUI の extra_model_paths.yaml だけで、その中のフォルダーが追加されます。",
    ),
    "no_folders_named": (
        "{path} に書かれているフォルダーはどれも見つかりません。",
        "中のパスを確かめるか、フォルダーを直接指定してください。",
    ),
    "no_roots": (
        "ライブラリ {path} にはまだフォルダーがありません。",
        "kanna library add フォルダー で追加してください。",
    ),
    "no_such_root": (
        "{path} はライブラリの対象ではありません。",
        "登録済みのフォルダーは kanna library roots で見られます。追加は kanna library add です。",
    ),
    "tags_lost": (
        "{path} のファイルのうち {tagged} 個にタグ、{noted} 個にメモがあり、これらが失われます。",
        "それでも登録を外すには --force を付けてください。ファイルそのものは変わりません。",
    ),
    "note_too_long": (
        "メモが長すぎます。",
        "{most} 文字まで書けます。",
    ),
    "bad_tag": (
        "「{tag}」はタグにできません。",
        "タグは 1 文字以上 {most} 文字以下です。",
    ),
    "no_memory": (
        "メモリが足りず、{path} を読めません。",
        "ほかのプログラムを閉じてから、--full を付けてもう一度スキャンしてください。",
    ),
    "reader_died": (
        "{path} を読むプロセスが 2 回とも途中で終了しました。",
        "ファイルが壊れているか、そうなるように作られている可能性があります。kanna scan で調べ、できれば報告してください。",
    ),
    "settings_unreadable": "{path} を読めないため、そこに書かれたフォルダーは追加されません。{reason}",
    "folder_unread": "{path} を読めません（{reason}）。ライブラリにある情報はそのまま残します。",
    "more_unread": "ほかに {count} か所が読めません。",
    "none": (
        "{path} にライブラリがありません。",
        "kanna library add フォルダー で作成するか、--library で別のライブラリを指定してください。",
    ),
    "newer": (
        "ライブラリ {path} は、より新しい kanna で書かれています（スキーマ {version}、この kanna が扱えるのは {known} まで）。",
        "kanna を更新するか、--library で別のライブラリを指定してください。",
    ),
    "other_database": (
        "{path} はデータベースですが、kanna のライブラリではありません。",
        "--library で別のファイルを指定してください。",
    ),
    "damaged": (
        "ライブラリ {path} はデータベースではないか、壊れています。",
        "別の場所に退避してからバックアップを戻すか、kanna library add フォルダー で作り直してください。タグとメモは sqlite3 ファイル .recover で取り出せます。",
    ),
    "busy": (
        "ライブラリ {path} には、別のプロセスが長い間書き込んでいます。",
        "その処理が終わってから、もう一度実行してください。",
    ),
    "unusable": (
        "ライブラリ {path} を使えません（{reason}）。",
        "ディスクとアクセス権を確かめるか、--library で別のファイルを指定してください。",
    ),
}
