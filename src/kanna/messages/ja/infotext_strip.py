"""`kanna infotext strip`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "画像から生成情報を取り除きます。",
    "help": "プロンプト、パラメーター、ワークフローなど、生成方法のわかる情報を画像から取り除きます（PNG のテキスト、EXIF、XMP、コメント）。それ以外に残るもの（カメラ、撮影場所、作者など）は表示します。--all ではそれらも取り除き、すべてのテキストと、画像の向き以外のすべての EXIF を消します。カラープロファイルは残します。\n\n画像データは 1 バイトも変わりません。書き込む前に確認します。ピクセルに隠されたテキスト（stealth pnginfo）があれば知らせます。--stealth で消せますが、ピクセルの最下位ビットが変わります。-o フォルダー/ では、取り除くものがない画像も書き出します。",
    "examples": "例:\n\n  kanna infotext strip picture.png -o clean.png\n\n  kanna infotext strip outputs/ -r --all --stealth -o upload/\n\n  kanna infotext strip --in-place *.png --dry-run",
    "option_all": "すべてのテキストと、画像の向き以外のすべての EXIF を取り除きます。",
    "option_stealth": "ピクセルに隠されたテキストを消します（最下位ビットが変わります）。",
    "no_picture": (
        "{path} は画像ではありません。",
        "PNG、JPEG、WebP、AVIF、GIF のいずれかを指定してください。",
    ),
    "gone": "取り除くもの: {names}。",
    "left": "残っているもの: {names}（--all で取り除けます）。",
    "left_exif": "カメラ、日時、場所などの EXIF が残っています（--all で取り除けます）。",
    "hidden": "ピクセルに隠されたテキストがあります（--stealth で消せます）。",
    "cleared": "隠されたテキストを消しました。ピクセルの最下位ビットが変わっています。",
}
