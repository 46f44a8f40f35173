"""`kanna lora`: LoRAs and their kin, read, baked and spelled anew."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "LoRA をモデルに焼き込む、別のプログラム向けの書き方に直す",
    "help": "LoRA とその仲間 (LoHa、LoKr、DoRA、IA3、OFT、全差分) を扱います。",
    "examples": "kanna lora bake model.safetensors style.safetensors -o baked.safetensors",
    "no_lora": (
        "{path} は LoRA ではありません ({kind} です)。",
        "LoRA を指定してください。ファイルの中身は kanna inspect で確かめられます。",
    ),
    "no_modules": (
        "{path} には LoRA を成すものが入っていません。",
        "LoRA を指定してください。ファイルの中身は kanna inspect で確かめられます。",
    ),
    "unknown_tensors": (
        "{path} には kanna に意味の分からないテンソルが {count} 個あります (例: {name})。",
        "--skip-unknown を付けると、それらを除いて処理します。",
    ),
}
