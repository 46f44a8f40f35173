"""About files that are no model files at all."""

from __future__ import annotations

from typing import Final

_NAME: Final = ".safetensors、.ckpt、.pt、.pth、.bin、.gguf のいずれかを指定してください。"

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "empty": ("{path} は空です。", "もう一度ダウンロードまたはコピーしてください。"),
    "zeros": (
        "{path} の先頭がすべてゼロです。ダウンロードが完了していません。",
        "もう一度ダウンロードしてください。",
    ),
    "web_page": (
        "{path} はモデルではなくウェブページです。サイトがログイン画面かエラー画面を返しています。",
        "サイトにログインするか、ダウンロード用のリンクを使って、もう一度ダウンロードしてください。",
    ),
    "lfs_pointer": (
        "{path} は git-lfs のポインターで、モデル本体（{missing:,} バイト）はここにありません。",
        "そのリポジトリで `git lfs pull` を実行してください。",
    ),
    "archive": (
        "{path} はモデルではなく {name} アーカイブです。",
        "展開して、中のファイルを開いてください。",
    ),
    "empty_zip": ("{path} は空の zip です。", "もう一度ダウンロードまたはコピーしてください。"),
    "picture": (
        "{path} はモデルではなく {name} 画像です。",
        "`kanna infotext show ファイル` で生成情報を読めます。",
    ),
    "document": ("{path} はモデルではなく {name} 文書です。", _NAME),
    "program": (
        "{path} はモデルではなく {name} のプログラムです。",
        "実行せずに削除してください。",
    ),
    "other_model": ("{path} は {name} のファイルで、kanna では読めません。", _NAME),
    "json": (
        "{path} はモデルではなく JSON です: {text}",
        "サイトのエラーであれば、ログインしてからもう一度ダウンロードしてください。",
    ),
    "text": ("{path} はモデルではなくテキストです: {text}", _NAME),
    "unknown": ("{path} は kanna の知らない形式のファイルです。", _NAME),
}
