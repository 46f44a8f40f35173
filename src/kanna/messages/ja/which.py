"""`kanna which`: from a digest to a model."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ハッシュがどのモデルのものかを調べます。",
    "help": "各 DIGEST がどのモデルのハッシュかを調べます。対象は、kanna が知っている公開モデルと、このマシンで "
    "kanna hash が計算したことのあるファイルです。DIGEST は 4、8、10、12、16、64 桁の 16 進数で、0x…、blake3:…、"
    "「名前 [ハッシュ]」の形でもかまいません。考えられる意味をすべて試し、どれで一致したかを表示します。\n\n"
    "FILE を指定すると、ハッシュを計算し、ファイル全体・重み・部品のそれぞれで照合します。見つからないものが"
    "あれば終了コードは 1 です。ネットワークには接続しません。",
    "examples": "例:\n\n  kanna which 7460a6fa\n\n  kanna which 6ce0161689\n\n  kanna which "
    '"model [ffa7b160]"\n\n  kanna which downloaded.safetensors',
    "option_no_cache": "公開モデルだけを調べます。",
    "not_found": "見つかりません",
    "meaning_embedding_checksum": "埋め込みのチェックサム（2022 年までの A1111）",
    "meaning_autov1": "AutoV1（旧モデルハッシュ）",
    "meaning_crc32": "CRC32",
    "meaning_autov2": "AutoV2（SHA-256 の先頭 10 桁。VAE やハイパーネットワークにも使われます）",
    "meaning_autov3": "AutoV3（データ部分の SHA-256 の先頭 12 桁。LoRA にも使われます）",
    "meaning_sha256_12": "SHA-256 の先頭 12 桁（埋め込み、.pt の LoRA）",
    "meaning_sha256_16": "SHA-256 の先頭 16 桁",
    "meaning_sha256": "SHA-256",
    "meaning_data_sha256": "データ部分の SHA-256（ヘッダーが違っても重みは同じ）",
    "meaning_blake3": "BLAKE3",
    "meaning_component": "同じ部品を含む",
    "meaning_part": "同じ部品を含む（{role}）",
    "meaning_name_hash": "ファイルではなく名前のハッシュ",
    "here": "このマシンのファイル: {path}",
    "gone": "このマシンにあったファイル: {path}",
    "lists": "{count} 件の一覧に掲載",
    "source": "出典: {name}",
    "nothing": "{digits} は空データのハッシュです。A1111 は 1 MiB 以下のファイルすべてにこの値を付けていました。",
    "several": "{count} 個の異なるファイルが当てはまります。この桁数では特定できません。",
    "several_autov1": "{count} 個の異なるファイルが当てはまります。旧ハッシュは 64 KiB しか読まないため、"
    "同系統のモデルでは同じ値になります。8 桁は CRC32 の可能性もあります。",
    "name_hash": "初期の Forge はファイル名のハッシュを画像に書き込んでいたため、この名前のファイルなら"
    "中身が違っても同じ値になります。",
    "vae_hash": "A1111 と Forge は、直前に計算した VAE より古い VAE に誤ったハッシュを書き込みます。画像に記録された "
    "VAE の名前と照らし合わせてください。",
    "civitai": "Civitai の一覧に由来する項目があります。モデル名とバージョンはわかりますがファイル名はわからず、"
    "一部は VAE や LoRA です。",
    "few_digits": "先頭の数桁しか知られていないものがあり、残りの桁は照合していません。",
    "no_digest": (
        "「{text}」はファイルでもハッシュでもありません。",
        "ハッシュは 4、8、10、12、16、64 桁の 16 進数です。",
    ),
}
