"""About picture files and their texts."""

from __future__ import annotations

from typing import Final

_AGAIN: Final = "もう一度ダウンロードまたはコピーしてください。"
_HOSTILE: Final = (
    "画像を作るプログラムがこのように書くことはありません。このファイルは信用しないでください。"
)
_DAMAGED: Final = "破損しているか、悪意をもって作られています。別のプログラムで EXIF を取り除くか、ファイルを入手し直してください。"

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "no_picture": (
        "{path} は kanna で読める画像ではありません。",
        "PNG、JPEG、WebP、AVIF、GIF のいずれかを指定してください。",
    ),
    "ends_before_image": (
        "{path} は画像データより手前の {offset:,} バイト目で途切れています。",
        _AGAIN,
    ),
    "no_size": (
        "{path} の先頭には画像サイズがあるはずですが、{kind} があります。",
        _AGAIN,
    ),
    "no_marker": (
        "{path} の {offset:,} バイト目（画像データより手前）に不明なデータがあります。",
        _AGAIN,
    ),
    "piece_too_long": (
        "{path}: {offset:,} バイト目の {kind} は {length:,} バイト続くと書かれていますが、ファイルはそれより短いです。",
        _AGAIN,
    ),
    "too_many_pieces": ("{path} のチャンクまたはブロックが {limit:,} 個を超えています。", _HOSTILE),
    "text_too_long": (
        "{path}: テキスト {name} が {limit} MiB を超えています。",
        _HOSTILE,
    ),
    "texts_too_long": ("{path}: テキストの合計が {limit} MiB を超えています。", _HOSTILE),
    "too_many_texts": ("{path} のテキストが {limit:,} 個を超えています。", _HOSTILE),
    "exif_loop": ("{path}: EXIF が {offset:,} バイト目で循環しています。", _HOSTILE),
    "exif_outside": (
        "{path}: EXIF の {tag} が EXIF の外を指しています。",
        _DAMAGED,
    ),
    "exif_too_many": (
        "{path}: EXIF のディレクトリに {count:,} 個の項目があると書かれています。",
        _DAMAGED,
    ),
    "meta_broken": (
        "{path}: 画像の構成を示す表が破損しています。",
        _AGAIN,
    ),
    "tail_damaged": "{path} は画像データより後ろの {offset:,} バイト目から破損しています。それ以降は読みません。",
    "wrong_checksum": "{path}: {offset:,} バイト目の {kind} にあるテキストのチェックサムが一致しません。",
    "broken_text": "{path}: {offset:,} バイト目の {kind} にあるテキストは破損していて読めません。",
    "no_exif": "{path}: {offset:,} バイト目の {kind} の中身は EXIF ではありません。",
    "broken_stealth": "{path}: ピクセルに埋め込まれたテキストは破損していて読めません。",
    "broken_image": "{path}: 画像をデコードできないため、ピクセルに埋め込まれたテキストは調べられません。",
    "too_large": "{path} は {limit} メガピクセルを超えているため、ピクセルに埋め込まれたテキストは調べません。",
    "undecodable": (
        "{path}: 画像をデコードできないか、{limit} メガピクセルを超えています。",
        "別のプログラムで保存し直してください。",
    ),
    "no_such_place": (
        "{path} は {container} ファイルで、{place} にはテキストを入れられません。",
        "JPEG・WebP・AVIF では exif（UserComment）、GIF では comment、PNG では tEXt か iTXt を使ってください。",
    ),
    "bad_keyword": (
        "{path} ではキーワード {keyword} のテキストを入れられません。",
        "PNG のキーワードは Latin-1 の 1～79 文字、EXIF では UserComment などのタグ名です。",
    ),
    "cannot_hold": (
        "{path}: {container} ファイルでは、これらのテキストを同じ内容で読み戻せる形で保存できません。",
        "Unicode として正しくない文字や末尾のヌル文字を取り除き、EXIF の各タグは 1 回だけ指定してください。",
    ),
    "too_long_for_jpeg": (
        "{path}: テキストは {size:,} バイトになりますが、JPEG では 1 か所に 65,533 バイトまでしか入りません。",
        "テキストを短くするか、PNG・WebP・AVIF を使ってください。",
    ),
    "long_xmp": (
        "{path} の XMP は複数に分かれています。削除はできますが、変更はできません。",
        "そのテキストを削除するか、別のプログラムで変更してください。",
    ),
    "moving_avif": (
        "{path} はアニメーション AVIF です。テキストは読めますが、変更はできません。",
        "静止画にするか、WebP で保存したものを変更してください。",
    ),
}
