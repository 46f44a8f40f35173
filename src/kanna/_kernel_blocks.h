/* GGUF's blocks: one function reads a block into fp32, one writes it.

   The bits are those of gguf's Python quantisers, which for q8_0 and the others that are written
   here are ggml's reference functions. Layouts: the structures in ggml-common.h. Every function
   is plain C and becomes part of the loop around it, with that loop's instruction set. */

#ifndef KANNA_KERNEL_BLOCKS_H
#define KANNA_KERNEL_BLOCKS_H

#include "_kernel_numbers.h"

#if defined _MSC_VER
#define INLINE static __forceinline
#else
#define INLINE static inline __attribute__((always_inline))
#endif

enum { SMALL = 32, LARGE = 256 }; /* elements of a block */

/* ---- pieces of a block ---------------------------------------------------------------------- */

INLINE float load_half(const uint8_t *data)
{
    uint16_t half;
    memcpy(&half, data, sizeof half);
    return from_fp16(half);
}

INLINE void store_half(uint8_t *data, float value)
{
    uint16_t half = to_fp16(value);
    memcpy(data, &half, sizeof half);
}

INLINE uint32_t load_word(const uint8_t *data)
{
    uint32_t word;
    memcpy(&word, data, sizeof word);
    return word;
}

/* Whether the scale of a written block, and its least value where it has one, fit into fp16. */
static int has_finite_scale(const uint8_t *block, enum code code)
{
    uint32_t word = load_word(block);
    int has_least = code == CODE_Q4_1 || code == CODE_Q5_1;
    return (word & 0x7c00) != 0x7c00 && (!has_least || (word & 0x7c000000) != 0x7c000000);
}

/* Put 0 in the place of NaN, and the greatest finite magnitude, with its sign, in that of Inf. */
static void make_finite(float *values, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i]) && fabsf(values[i]) > most)
            most = fabsf(values[i]);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            values[i] = isnan(values[i]) ? 0 : copysignf(most, values[i]);
}

/* ---- 32 numbers with one scale: read --------------------------------------------------------- */

INLINE void decode_q4_0(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block);
    for (size_t i = 0; i < SMALL / 2; i++) {
        values[i] = scale * (float)((block[2 + i] & 15) - 8);
        values[i + SMALL / 2] = scale * (float)((block[2 + i] >> 4) - 8);
    }
}

INLINE void decode_q4_1(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block), least = load_half(block + 2);
    for (size_t i = 0; i < SMALL / 2; i++) {
        values[i] = scale * (float)(block[4 + i] & 15) + least;
        values[i + SMALL / 2] = scale * (float)(block[4 + i] >> 4) + least;
    }
}

INLINE void decode_q5_0(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block);
    uint32_t fifth = load_word(block + 2);
    for (uint32_t i = 0; i < SMALL / 2; i++) {
        uint32_t low = block[6 + i] & 15, high = block[6 + i] >> 4;
        int32_t first = (int32_t)(low | (fifth >> i & 1) << 4);
        int32_t second = (int32_t)(high | (fifth >> (i + SMALL / 2) & 1) << 4);
        values[i] = scale * (float)(first - 16);
        values[i + SMALL / 2] = scale * (float)(second - 16);
    }
}

INLINE void decode_q5_1(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block), least = load_half(block + 2);
    uint32_t fifth = load_word(block + 4);
    for (uint32_t i = 0; i < SMALL / 2; i++) {
        uint32_t low = block[8 + i] & 15, high = block[8 + i] >> 4;
        int32_t first = (int32_t)(low | (fifth >> i & 1) << 4);
        int32_t second = (int32_t)(high | (fifth >> (i + SMALL / 2) & 1) << 4);
        values[i] = scale * (float)first + least;
        values[i + SMALL / 2] = scale * (float)second + least;
    }
}

INLINE void decode_q8_0(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block);
    for (size_t i = 0; i < SMALL; i++)
        values[i] = (float)(int8_t)block[2 + i] * scale;
}

static const int8_t IQ4_VALUES[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1, 13, 25, 38, 53, 69, 89, 113};
static const int8_t FP4_VALUES[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

INLINE void decode_iq4_nl(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block);
    for (size_t i = 0; i < SMALL / 2; i++) {
        values[i] = scale * (float)IQ4_VALUES[block[2 + i] & 15];
        values[i + SMALL / 2] = scale * (float)IQ4_VALUES[block[2 + i] >> 4];
    }
}

/* The scale is a power of two, halved because FP4_VALUES are doubled. */
INLINE void decode_mxfp4(float *restrict values, const uint8_t *restrict block)
{
    uint32_t power = block[0];
    float scale = float_of(power < 2 ? 0x00200000u << power : (power - 1) << 23);
    for (size_t i = 0; i < SMALL / 2; i++) {
        values[i] = scale * (float)FP4_VALUES[block[1 + i] & 15];
        values[i + SMALL / 2] = scale * (float)FP4_VALUES[block[1 + i] >> 4];
    }
}

/* ---- 256 numbers, whose scales have a scale: read -------------------------------------------- */

INLINE void decode_q2_k(float *restrict values, const uint8_t *restrict block)
{
    const uint8_t *scales = block, *bytes = block + 16;
    float scale = load_half(block + 80), least = load_half(block + 82);
    for (size_t j = 0; j < LARGE / 16; j++) {
        float each = scale * (float)(scales[j] & 15), below = least * (float)(scales[j] >> 4);
        const uint8_t *part = bytes + j / 8 * 32 + j % 2 * 16;
        for (size_t i = 0; i < 16; i++)
            values[16 * j + i] = each * (float)(part[i] >> j % 8 / 2 * 2 & 3) - below;
    }
}

INLINE void decode_q3_k(float *restrict values, const uint8_t *restrict block)
{
    const uint8_t *third = block, *bytes = block + 32, *scales = block + 96;
    float scale = load_half(block + 108);
    for (size_t j = 0; j < LARGE / 16; j++) {
        int low = scales[j % 8] >> j / 8 * 4 & 15, high = scales[8 + j % 4] >> j / 4 * 2 & 3;
        float each = scale * (float)((low | high << 4) - 32);
        const uint8_t *part = bytes + j / 8 * 32 + j % 2 * 16, *bits = third + j % 2 * 16;
        for (size_t i = 0; i < 16; i++) {
            int number = (part[i] >> j % 8 / 2 * 2 & 3) - (bits[i] >> j / 2 & 1 ? 0 : 4);
            values[16 * j + i] = each * (float)number;
        }
    }
}

/* The j-th of eight 6-bit scales, and of eight 6-bit least values, in 12 bytes. */
INLINE int scale_of_12(const uint8_t *bytes, size_t j)
{
    return j < 4 ? bytes[j] & 63 : (bytes[j + 4] & 15) | (bytes[j - 4] >> 2 & 48);
}

INLINE int least_of_12(const uint8_t *bytes, size_t j)
{
    return j < 4 ? bytes[j + 4] & 63 : bytes[j + 4] >> 4 | (bytes[j] >> 2 & 48);
}

INLINE void decode_q4_k(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block), least = load_half(block + 2);
    for (size_t j = 0; j < LARGE / 32; j++) {
        float each = scale * (float)scale_of_12(block + 4, j);
        float below = least * (float)least_of_12(block + 4, j);
        const uint8_t *part = block + 16 + j / 2 * 32;
        for (size_t i = 0; i < 32; i++)
            values[32 * j + i] = each * (float)(part[i] >> j % 2 * 4 & 15) - below;
    }
}

INLINE void decode_q5_k(float *restrict values, const uint8_t *restrict block)
{
    const uint8_t *fifth = block + 16;
    float scale = load_half(block), least = load_half(block + 2);
    for (size_t j = 0; j < LARGE / 32; j++) {
        float each = scale * (float)scale_of_12(block + 4, j);
        float below = least * (float)least_of_12(block + 4, j);
        const uint8_t *part = block + 48 + j / 2 * 32;
        for (size_t i = 0; i < 32; i++) {
            int number = (part[i] >> j % 2 * 4 & 15) | (fifth[i] >> j & 1) << 4;
            values[32 * j + i] = each * (float)number - below;
        }
    }
}

INLINE void decode_q6_k(float *restrict values, const uint8_t *restrict block)
{
    const uint8_t *scales = block + 192;
    float scale = load_half(block + 208);
    for (size_t j = 0; j < LARGE / 16; j++) {
        const uint8_t *low = block + j / 8 * 64 + j % 4 * 16;
        const uint8_t *high = block + 128 + j / 8 * 32 + j % 2 * 16;
        float each = scale * (float)(int8_t)scales[j];
        for (size_t i = 0; i < 16; i++) {
            int number = (low[i] >> j % 8 / 4 * 4 & 15) | (high[i] >> j % 8 / 2 * 2 & 3) << 4;
            values[16 * j + i] = each * (float)(number - 32);
        }
    }
}

INLINE void decode_iq4_xs(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block);
    uint32_t high = load_word(block) >> 16;
    for (size_t j = 0; j < LARGE / 32; j++) {
        int sixth = (block[4 + j / 2] >> j % 2 * 4 & 15) | (int)(high >> 2 * j & 3) << 4;
        float each = scale * (float)(sixth - 32);
        const uint8_t *part = block + 8 + j * 16;
        for (size_t i = 0; i < 16; i++) {
            values[32 * j + i] = each * (float)IQ4_VALUES[part[i] & 15];
            values[32 * j + 16 + i] = each * (float)IQ4_VALUES[part[i] >> 4];
        }
    }
}

/* Numbers of -1, 0 and 1, five in a byte: the fractions of 256 whose digits to base 3 they are. */
INLINE void decode_threes(float *restrict values, const uint8_t *restrict bytes, size_t width,
                          size_t digits, float scale)
{
    static const uint8_t POWERS[5] = {1, 3, 9, 27, 81};
    for (size_t k = 0; k < digits; k++)
        for (size_t i = 0; i < width; i++) {
            uint8_t fraction = (uint8_t)(bytes[i] * POWERS[k]);
            values[k * width + i] = scale * (float)((fraction * 3 >> 8) - 1);
        }
}

INLINE void decode_tq1_0(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block + 52);
    decode_threes(values, block, 32, 5, scale);
    decode_threes(values + 160, block + 32, 16, 5, scale);
    decode_threes(values + 240, block + 48, 4, 4, scale);
}

INLINE void decode_tq2_0(float *restrict values, const uint8_t *restrict block)
{
    float scale = load_half(block + 64);
    for (size_t j = 0; j < LARGE / 32; j++)
        for (size_t i = 0; i < 32; i++) {
            int number = block[j / 4 * 32 + i] >> j % 4 * 2 & 3;
            values[32 * j + i] = scale * (float)(number - 1);
        }
}

/* ---- 32 numbers with one scale: write -------------------------------------------------------- */

/* The first of the values with the greatest magnitude. */
INLINE float greatest_of(const float *values)
{
    uint32_t most = 0, first = SMALL;
    for (size_t i = 0; i < SMALL; i++) {
        uint32_t bits = bits_of(values[i]) & 0x7fffffff;
        most = bits > most ? bits : most;
    }
    for (uint32_t i = 0; i < SMALL; i++) {
        uint32_t place = (bits_of(values[i]) & 0x7fffffff) == most ? i : SMALL;
        first = place < first ? place : first;
    }
    return values[first];
}

struct span { float least, most; };

/* As integers, in which -0 is less than +0, so that the sign of zero hangs on no order. */
INLINE struct span span_of(const float *values)
{
    int32_t least = INT32_MAX, most = INT32_MIN;
    for (size_t i = 0; i < SMALL; i++) {
        int32_t bits, place;
        memcpy(&bits, &values[i], sizeof bits);
        place = bits < 0 ? bits ^ INT32_MAX : bits;
        least = place < least ? place : least;
        most = place > most ? place : most;
    }
    least = least < 0 ? least ^ INT32_MAX : least;
    most = most < 0 ? most ^ INT32_MAX : most;
    return (struct span){float_of((uint32_t)least), float_of((uint32_t)most)};
}

/* 1/scale, or 0 for a scale of 0. Scales too small for an inverse, or infinite themselves, give
   blocks of zeros, as gguf's do on x86. */
INLINE int invert(float scale, float *inverse)
{
    *inverse = scale == 0 ? 0 : 1 / scale;
    return isfinite(scale) && isfinite(*inverse);
}

/* values * inverse + half, without its fraction, at most `most`. */
INLINE void number_values(uint8_t *restrict numbers, const float *restrict values, float least,
                          float scale, float half, int32_t most)
{
    float inverse;
    if (!invert(scale, &inverse)) {
        memset(numbers, 0, SMALL);
        return;
    }
    for (size_t i = 0; i < SMALL; i++) {
        int32_t number = (int32_t)((values[i] - least) * inverse + half);
        numbers[i] = (uint8_t)(number < most ? number : most);
    }
}

INLINE void store_nibbles(uint8_t *restrict bytes, const uint8_t *restrict numbers)
{
    for (size_t i = 0; i < SMALL / 2; i++)
        bytes[i] = (uint8_t)((numbers[i] & 15) | numbers[i + SMALL / 2] << 4);
}

INLINE void store_fifth_bits(uint8_t *restrict bytes, const uint8_t *restrict numbers)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < SMALL; i++)
        bits |= (uint32_t)(numbers[i] >> 4) << i;
    memcpy(bytes, &bits, sizeof bits);
}

INLINE void encode_q4_0(uint8_t *restrict block, const float *restrict values)
{
    uint8_t numbers[SMALL];
    float scale = greatest_of(values) / -8;
    number_values(numbers, values, 0, scale, 8.5f, 15);
    store_half(block, scale);
    store_nibbles(block + 2, numbers);
}

INLINE void encode_q4_1(uint8_t *restrict block, const float *restrict values)
{
    uint8_t numbers[SMALL];
    struct span span = span_of(values);
    float scale = (span.most - span.least) / 15;
    number_values(numbers, values, span.least, scale, 0.5f, 15);
    store_half(block, scale);
    store_half(block + 2, span.least);
    store_nibbles(block + 4, numbers);
}

INLINE void encode_q5_0(uint8_t *restrict block, const float *restrict values)
{
    uint8_t numbers[SMALL];
    float scale = greatest_of(values) / -16;
    number_values(numbers, values, 0, scale, 16.5f, 31);
    store_half(block, scale);
    store_fifth_bits(block + 2, numbers);
    store_nibbles(block + 6, numbers);
}

INLINE void encode_q5_1(uint8_t *restrict block, const float *restrict values)
{
    uint8_t numbers[SMALL];
    struct span span = span_of(values);
    float scale = (span.most - span.least) / 31;
    number_values(numbers, values, span.least, scale, 0.5f, 31);
    store_half(block, scale);
    store_half(block + 2, span.least);
    store_fifth_bits(block + 4, numbers);
    store_nibbles(block + 8, numbers);
}

/* Halves go away from zero. */
INLINE void encode_q8_0(uint8_t *restrict block, const float *restrict values)
{
    float scale = fabsf(greatest_of(values)) / 127, inverse;
    int usable = invert(scale, &inverse);
    store_half(block, scale);
    for (size_t i = 0; i < SMALL; i++) {
        float number = usable ? values[i] * inverse : 0;
        int32_t whole = (int32_t)number;
        float rest = number - (float)whole;
        whole += (rest >= 0.5f) - (rest <= -0.5f);
        block[2 + i] = (uint8_t)whole;
    }
}

#endif
