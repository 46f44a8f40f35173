"""`kanna which`: from a digest or a picture to models."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ハッシュがどのモデルのものか、画像がどのモデルで作られたかを調べます。",
    "help": "各 DIGEST がどのモデルのハッシュかを調べます。対象は、kanna が知っている公開モデル、ライブラリのファイル、"
    "kanna hash が計算したことのあるファイルです。DIGEST は 4、8、10、12、16、64 桁の 16 進数で、0x…、blake3:…、"
    "「名前 [ハッシュ]」の形でもかまいません。考えられる意味をすべて試し、どれで一致したかを表示します。\n\n"
    "PICTURE（画像）や、画像の隣に保存された TEXT を指定すると、そこに書かれたチェックポイント、VAE、LoRA、埋め込み"
    "などのモデルを、ハッシュと名前で探します。改名前の名前や公開時の名前でも探し、手元にないものは公開モデルの一覧から"
    "名前を示します。- は標準入力のテキストです。\n\n"
    "モデルの FILE を指定すると、ハッシュを計算し、ファイル全体・重み・部品のそれぞれで照合します。見つからないものが"
    "あれば終了コードは 1 です。ネットワークには接続しません。",
    "examples": "例:\n\n  kanna which 7460a6fa\n\n  kanna which 6ce0161689\n\n  kanna which "
    '"model [ffa7b160]"\n\n  kanna which picture.png\n\n  kanna which downloaded.safetensors',
    "option_library": "自分のライブラリの代わりに、このライブラリを使います。",
    "option_no_library": "ライブラリを使いません。",
    "option_no_cache": "kanna hash が以前に計算したものを使いません。",
    "not_found": "見つかりません",
    "meaning_embedding_checksum": "埋め込みのチェックサム（2022 年までの A1111）",
    "meaning_autov1": "AutoV1（旧モデルハッシュ）",
    "meaning_crc32": "CRC32",
    "meaning_autov2": "AutoV2（SHA-256 の先頭 10 桁。VAE やハイパーネットワークにも使われます）",
    "meaning_data_sha256_10": "データ部分の SHA-256 の先頭 10 桁（Civitai の拡張が LoRA に書くもの）",
    "meaning_sshs_model_hash": "LoRA のメタデータにあるハッシュ（A1111 が表示するもの）",
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
    "names_nothing": "モデルの名前は書かれていません。",
    "no_library": "ライブラリがないため、kanna hash が計算したことのあるファイルだけを調べました。kanna library add FOLDER で作成できます。",
    "state_found": "あり",
    "state_likely": "おそらくこれ",
    "state_possible": "候補あり",
    "state_missing": "手元になし",
    "state_unknown": "不明",
    "by_sha256": "SHA-256 が一致",
    "by_sha256_16": "SHA-256 の先頭 16 桁が一致",
    "by_sha256_12": "SHA-256 の先頭 12 桁が一致",
    "by_autov2": "SHA-256 の先頭 10 桁が一致",
    "by_blake3": "BLAKE3 が一致",
    "by_data_sha256": "データ部分の SHA-256 が一致",
    "by_autov3": "AutoV3 が一致",
    "by_data_sha256_10": "データ部分の SHA-256 の先頭 10 桁が一致",
    "by_sshs_model_hash": "メタデータのハッシュが一致",
    "by_autov1": "AutoV1（旧ハッシュ）が一致",
    "by_crc32": "CRC32 が一致",
    "by_vae_hash": "VAE ハッシュが一致（別の VAE のものが書かれていることがあります）",
    "by_embedding_checksum": "4 桁のチェックサムが一致",
    "by_name": "名前が一致",
    "by_former": "以前の名前が一致",
    "by_companion": "隣のファイルによると、その名前で公開されたもの",
    "by_published_name": "その名前で公開されているもの",
    "by_metadata": "メタデータの名前が一致",
    "by_prompt_word": "プロンプトに同じ名前の単語",
    "by_name_hash": "名前のハッシュが一致",
    "by_other_suffix": "拡張子だけが違う名前",
    "by_other_spelling": "表記がわずかに違う名前",
    "by_other_folder": "別のフォルダーにある同じ名前",
    "by_name_end": "名前の後半が一致",
    "by_published_title": "その題名で公開されているもの",
    "by_made_from": "kanna がそのファイルから作ったもの",
    "by_common_word": "プロンプトに同じ名前の単語（ふつうの単語かもしれません）",
    "published": "公開モデル: {name} — {meaning}",
    "not_there": "現在は存在しない",
    "other_kind": "ただし種類が違う（{kind}）",
    "other_digest": "ただしハッシュが違う",
    "other_name": "ただし名前は別のファイルのもの",
    "more_files": "ほか {count} 件。-v ですべて表示します",
    "more_published": "ほか公開ファイル {count} 件。-v ですべて表示します",
    "vae_hash_lies": "画像には VAE「{name}」のハッシュとして {digits} が書かれていますが、同じファイルのものではありません。A1111 と Forge は別の VAE のハッシュを書くことがあるため、名前を優先します。",
    "no_infotext": (
        "{path} には生成情報がありません。",
        "多くのサイトは画像から生成情報を取り除きます。元のファイルを探してください。",
    ),
    "few_digits": "先頭の数桁しか知られていないものがあり、残りの桁は照合していません。",
    "no_digest": (
        "「{text}」はファイルでもハッシュでもありません。",
        "ハッシュは 4、8、10、12、16、64 桁の 16 進数です。",
    ),
}
