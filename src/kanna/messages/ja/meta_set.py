"""`kanna meta set`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "メタデータの項目を設定します。",
    "help": "各 FILE の項目を設定します。title、author、license、description、tags、trigger、hint、date、resolution、"
    "prediction、clip_skip、merged などの短い名前は ModelSpec の項目を指します。ドットかアンダースコアを含む名前は、"
    "その名前の項目になります。ModelSpec の値は形式を確認します。\n\n書き換えるのは safetensors のヘッダーだけで、"
    "重みには触れません。AutoV3 も hash_sha256 も sshs_model_hash も変わりません。ヘッダーに空きがなければ、次の"
    "編集のための空きを付けてファイルを書き直します。",
    "examples": "例:\n\n"
    '  kanna meta set model.safetensors title="My model" author=me license=CC-BY-4.0 trigger="my style"\n\n'
    "  kanna meta set model.safetensors --modelspec --thumbnail preview.png\n\n"
    "  kanna meta set lora.safetensors --import civitai --dry-run\n\n"
    "  kanna meta set *.safetensors --from fields.toml",
    "option_from": "この TOML / JSON ファイルに書かれた項目も設定します。",
    "option_thumbnail": "この画像を 256 × 256 以内に縮小し、EXIF を除いて入れます。",
    "option_modelspec": "ファイルからわかる項目を補います（アーキテクチャ、実装、解像度、予測方式、精度、hash_sha256）。"
    "タイトルや日付を作り出すことはありません。",
    "option_no_hash": "--modelspec で hash_sha256 を入れません（計算にはファイル全体を読みます）。",
    "option_import": "空いている項目を、同じフォルダーのファイルから補います（タイトル、作者、説明、タグ、"
    "トリガーワード、日付）。",
    "nothing": (
        "設定する内容がありません。",
        "KEY=VALUE、--from、--thumbnail、--modelspec、--import のどれかを指定してください。",
    ),
    "no_file": (
        "FILE が指定されていません。",
        "kanna meta set FILE KEY=VALUE の形で指定してください。",
    ),
    "twice": ("{key} が 2 回指定されています。", "1 回だけ指定してください。"),
}
