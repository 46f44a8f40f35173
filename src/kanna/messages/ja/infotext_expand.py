"""`kanna infotext expand`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "リストを含む JSON から、多数のテキストを作ります。",
    "help": '値がリストでもよい JSON ファイルから、すべての組み合わせのテキストを作ります（STEM-00000.txt、STEM-00001.txt …）。"prompt_count": N があると、プロンプト中の 0.2~1 のような範囲を等間隔の N 通りに展開します。',
    "examples": "例:\n\n  kanna infotext expand variations.json --dry-run\n\n  kanna infotext expand variations.json -o texts/\n\n  kanna infotext expand variations.json --png -o pngs/",
    "option_output": "テキストを書き出すフォルダー。",
    "option_png": "テキストを入れた小さな PNG を作ります。",
    "no_json": (
        "{path} を展開できません。{reason}",
        '{{"prompt": ["a cat", "a dog"], "steps": 20}} のように、値がリストでもよい JSON のオブジェクトを書いてください。',
    ),
    "no_object": (
        "{path} の中身は JSON のオブジェクトではありません。",
        '{{"prompt": ["a cat", "a dog"], "steps": 20}} のように、値がリストでもよいオブジェクトを書いてください。',
    ),
    "no_output": (
        "書き込み先が指定されていません。",
        "-o でフォルダーを指定してください。--dry-run で内容だけを確認できます。",
    ),
    "would": "{path}: {count:,} 個のテキストを書き込む予定です。最初の 1 つ:",
    "done": "{path}: {count:,} 個のテキストを {folder} に書き込みました。",
}
