"""`kanna infotext write`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "テキストを画像に書き込みます。画像データには手を加えません。",
    "help": "テキストファイルを、画像のコピー（--to）の、プログラムが読む場所に書き込みます。元の生成情報は置き換わり、画像データは 1 バイトも変わりません。--to がなければ、プログラムが読み込める小さな PNG をテキストごとに作ります。テキストのフォルダーは画像のフォルダーになります。--to にフォルダーを指定すると、同じ名前の画像に書き込みます。\n\nテキストは 1 バイトも変わりません。もう一度書き出せば同じファイルになります。",
    "examples": "例:\n\n  kanna infotext write prompt.txt --to picture.png -o out.png\n\n  kanna infotext write prompts/ -o pngs/\n\n  kanna infotext write prompts/ --to pictures/ -o out/\n\n  kanna infotext write old.txt --encoding cp932 -o old.png",
    "option_output": "書き込む画像。フォルダーなら 1 つごとに画像を作ります。",
    "option_to": "コピー元の画像、またはテキストと同じ名前の画像が入ったフォルダー。",
    "is_picture": (
        "{path} は画像です。",
        "テキストを指定してください。画像からテキストを作るには `kanna infotext export` を使います。",
    ),
    "no_such_picture": (
        "{path} は画像ではありません。",
        "--to には PNG、JPEG、WebP、AVIF、GIF を指定してください。",
    ),
    "empty": (
        "{path} は空です。",
        "テキストの入ったファイルを指定してください。",
    ),
    "one_picture": (
        "1 枚の画像（{path}）に複数のテキストは書き込めません。",
        "テキストと同じ名前の画像が入ったフォルダーを指定するか、--to を外してください。",
    ),
    "suffix": (
        "{name} に書き込まれるのは {suffix} の画像です。",
        "{suffix} で終わる名前にしてください。",
    ),
    "replaced": "画像に入っていた生成情報を置き換えます: {names}。",
    "bom": "テキストの先頭に BOM があるため、画像のプロンプトも BOM で始まります。",
}
