"""`kanna infotext extend`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "画像の生成情報に、使ったモデルの完全なハッシュを書き加えます。",
    "help": "ライブラリにあるモデルの SHA-256 を、画像の生成情報に書き加えます。対象はチェックポイント（Model sha256）、VAE、ハイパーネットワーク、LoRA です。短いハッシュは衝突し、VAE が記録されていないことも多いため、完全な再現に役立ちます。\n\n書き加えるのは確実なもの、つまり画像にハッシュが記録されているモデルだけです。VAE はハッシュだけでは確実とみなしません。--by-name では、名前がぴったり一致するファイルが 1 つだけなら、それも対象にします。特定できなかったものは表示します。対応しているのは A1111、Forge、SD.Next、Civitai の形式です。",
    "examples": "例:\n\n  kanna infotext extend picture.png -o extended.png\n\n  kanna infotext extend outputs/ -r --in-place --dry-run\n\n  kanna infotext extend picture.png --by-name --library my.sqlite3 -o extended.png",
    "option_by_name": "名前がぴったり一致するだけのファイルも、そのモデルとみなします。",
    "dialect": (
        "{path} の生成情報は A1111 の形式ではありません（{dialect}）。",
        "ハッシュを書き加えられるのは A1111、Forge、SD.Next、Civitai の形式だけです。",
    ),
    "added": "{key}: {value}",
    "differs": "{key} にはすでに {old} があり、ライブラリのファイルは {new} です。元のまま残しました。",
    "missing": "{name} はライブラリにありません。",
    "unknown": "{name} はライブラリになく、ほかの情報もありません。",
    "only_named": "{name} はおそらく {path} ですが、確実ではありません。--by-name を付けると採用します。根拠: {reason}",
    "unsure": "{name} は {path} かもしれませんが、確実ではないため書き加えません。根拠: {reason}",
    "not_hashed": "{name} は {path} ですが、ハッシュが未計算です（`kanna library scan` で計算します）。",
}
