"""About files behind URLs, in Japanese."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "missing_extra": (
        "URL のファイルを読むには、ライブラリ obstore が必要です。",
        "pip install 'kanna[remote]' でインストールしてください。",
    ),
    "no_file": (
        "{path} はファイルを指していません。",
        "hf://owner/name/model.safetensors のように、モデルファイルの URL を指定してください。",
    ),
    "hf_form": (
        "{url} は Hugging Face のファイルを指していません。",
        "hf://owner/name/file または hf://owner/name@revision/file の形で指定してください。",
    ),
    "not_found": (
        "{path} にファイルがありません。",
        "URL とリビジョンを確認してください。",
    ),
    "denied": (
        "{path} へのアクセスがサーバーに拒否されました。",
        "非公開のファイルか、ライセンスにまだ同意していないファイルです。Hugging Face では HF_TOKEN、"
        "S3 では AWS_… の環境変数を設定し、モデルのページでライセンスに同意してください。",
    ),
    "no_ranges": (
        "{path} のサーバーは、ファイルの一部だけの取得に対応していません。",
        "ファイルをダウンロードして、そのパスを指定してください。",
    ),
    "short": (
        "{path} のサーバーから届いたデータが、要求した量より少なくなっています。",
        "もう一度試してください。何度も起きる場合は、ファイルをダウンロードしてください。",
    ),
    "failed": (
        "{path} をサーバーから読み込めません: {reason}。",
        "URL と接続を確認して、もう一度試してください。",
    ),
}
