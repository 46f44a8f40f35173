"""`kanna library scan`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ライブラリのフォルダーにある新しいファイルを読み込みます。",
    "help": "ライブラリを最新の状態にします。新しいファイルと変わったファイルを全コアで読み込みます。移動したファイルのタグとメモは引き継がれ、なくなったファイルには印が付きます。先にヘッダー、次にまだハッシュのないファイルのハッシュを小さいものから計算します。変わっていないファイルは、サイズと日時を見るだけです。\n\nいつ止めてもかまいません。終わった分は残り、次のスキャンで続きから始まります。接続していないディスクなど、見つからないフォルダーは表示するだけで、そのファイルを「なくなった」とは扱いません。",
    "examples": "例:\n\n  kanna library scan\n\n  kanna library scan ~/ComfyUI/models/loras --no-hash\n\n  kanna library scan --full --dry-run",
    "option_no_hash": "ハッシュを計算しません。",
    "option_parts": "部品ごとのハッシュも計算します。複数のチェックポイントに同じ VAE が入っているかどうかがわかります。すべてのモデルをもう一度読みます。",
    "option_full": "変わっていなくても、すべてのヘッダーを読み直します。",
    "option_dry_run": "新規、変更、移動、消失の数を数えるだけです。",
    "interrupted": (
        "中断しました。終わった分は残っています。",
        "続きは kanna library scan をもう一度実行してください。",
    ),
    "models": "モデル:",
    "images": "画像:",
    "separator": "、",
    "new": "新規 {count}",
    "changed": "変更 {count}",
    "moved": "移動 {count}",
    "back": "復帰 {count}",
    "gone": "消失 {count}",
    "unchanged": "変更なし {count}",
    "broken": "読めないもの {count}",
    "hashed": "ハッシュ計算 {count}",
    "missing": "{path} が見つからないか、今は空です。ライブラリにある情報はそのまま残します。",
    "see_broken": "kanna library list --broken で一覧にできます。",
    "done": "{seconds} 秒",
    "would": "{seconds} 秒。変更はしていません。",
    "bar_look": "確認中",
    "bar_read": "読み込み中",
    "bar_hash": "ハッシュ計算中",
    "bar_counts": "読み込み {read} / {asked}、確認 {seen}",
}
