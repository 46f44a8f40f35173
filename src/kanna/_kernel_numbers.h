/* The number formats, and how one number goes from any of them to fp32 and back.

   None of the float conversions branches, so that compilers can do eight of them at a time. What
   happens to NaN and to numbers too great is what torch 2.13 does on processors with AVX2. */

#ifndef KANNA_KERNEL_NUMBERS_H
#define KANNA_KERNEL_NUMBERS_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2
#error "floats are computed in a wider format here (x87): results would differ"
#endif
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files are little-endian, and so must be the machine"
#endif

/* The numbers are the `code` column of dtypes.py. */
enum code {
    CODE_FP64, CODE_FP32, CODE_FP16, CODE_BF16, CODE_E4M3, CODE_E5M2,
    CODE_INT64, CODE_INT32, CODE_INT16, CODE_INT8, CODE_UINT8, CODE_BOOL,
    /* GGUF's blocks: those that are written, then those that are only read */
    CODE_Q4_0, CODE_Q4_1, CODE_Q5_0, CODE_Q5_1, CODE_Q8_0,
    CODE_Q2_K, CODE_Q3_K, CODE_Q4_K, CODE_Q5_K, CODE_Q6_K,
    CODE_IQ4_NL, CODE_IQ4_XS, CODE_TQ1_0, CODE_TQ2_0, CODE_MXFP4, CODES
};

/* The smallest piece of a format: one element, or a block of many. */
static const struct { size_t elements, bytes; } PIECE[CODES] = {
    {1, 8}, {1, 4}, {1, 2}, {1, 2}, {1, 1}, {1, 1}, {1, 8}, {1, 4}, {1, 2}, {1, 1}, {1, 1}, {1, 1},
    {32, 18}, {32, 20}, {32, 22}, {32, 24}, {32, 34},
    {256, 84}, {256, 110}, {256, 144}, {256, 176}, {256, 210},
    {32, 18}, {256, 136}, {256, 54}, {256, 66}, {32, 17},
};

static inline size_t bytes_of(enum code code, size_t count)
{
    return count / PIECE[code].elements * PIECE[code].bytes;
}

static inline int is_blocks(enum code code)
{
    return code >= CODE_Q4_0;
}

static inline int is_written_block(enum code code)
{
    return code >= CODE_Q4_0 && code <= CODE_Q8_0;
}

/* A sum strictly between the two fits the format; any other becomes Inf or is clipped. For floats
   it is the first value that rounds away from the greatest finite one (e4m3fn has no Inf and clips
   there), for integers the first whole number outside. */
static const struct { double low, high; } RANGE[CODES] = {
    [CODE_FP64] = {-INFINITY, INFINITY},
    [CODE_FP32] = {-INFINITY, INFINITY},
    [CODE_FP16] = {-65520.0, 65520.0},
    [CODE_BF16] = {-0x1.ffp127, 0x1.ffp127},
    [CODE_E4M3] = {-0x1.d00002p8, 0x1.d00002p8}, /* 464 is a tie and goes to 448 */
    [CODE_E5M2] = {-61440.0, 61440.0},
    [CODE_INT64] = {-0x1.0000000000001p63, 0x1p63},
    [CODE_INT32] = {-2147483649.0, 2147483648.0},
    [CODE_INT16] = {-32769.0, 32768.0},
    [CODE_INT8] = {-129.0, 128.0},
    [CODE_UINT8] = {-1.0, 256.0},
    [CODE_BOOL] = {-INFINITY, INFINITY},
    /* whether a block's scale fits is seen when the block is encoded */
    [CODE_Q4_0] = {-INFINITY, INFINITY}, [CODE_Q4_1] = {-INFINITY, INFINITY},
    [CODE_Q5_0] = {-INFINITY, INFINITY}, [CODE_Q5_1] = {-INFINITY, INFINITY},
    [CODE_Q8_0] = {-INFINITY, INFINITY}, [CODE_Q2_K] = {-INFINITY, INFINITY},
    [CODE_Q3_K] = {-INFINITY, INFINITY}, [CODE_Q4_K] = {-INFINITY, INFINITY},
    [CODE_Q5_K] = {-INFINITY, INFINITY}, [CODE_Q6_K] = {-INFINITY, INFINITY},
    [CODE_IQ4_NL] = {-INFINITY, INFINITY}, [CODE_IQ4_XS] = {-INFINITY, INFINITY},
    [CODE_TQ1_0] = {-INFINITY, INFINITY}, [CODE_TQ2_0] = {-INFINITY, INFINITY},
    [CODE_MXFP4] = {-INFINITY, INFINITY},
};

static const uint32_t INF_BITS = 0x7f800000; /* of fp32; every NaN has more */

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Widen a magnitude whose fraction already stands where fp32 has its own; `bias` is the difference
   of the exponent biases. Subnormals get an exponent that is then subtracted: exact, and without
   the slow path that processors take for subnormal fp32 operands. */
static inline uint32_t widen(uint32_t magnitude, uint32_t bias)
{
    uint32_t one = (bias + 1) << 23;
    uint32_t subnormal = bits_of(float_of(magnitude + one) - float_of(one));
    return magnitude < 1u << 23 ? subnormal : magnitude + (bias << 23);
}

/* Narrow an fp32 magnitude to `fraction` bits of fraction, to nearest even; the caller deals with
   overflow and NaN. Subnormals: adding the power of two whose last place is the target's smallest
   number lets the processor round at the right bit. */
static inline uint32_t narrow(uint32_t magnitude, uint32_t fraction, uint32_t bias)
{
    uint32_t drop = 23 - fraction;
    uint32_t odd = magnitude >> drop & 1;
    uint32_t normal = ((magnitude + (1u << (drop - 1)) - 1 + odd) >> drop) - (bias << fraction);
    uint32_t magic = (24 + bias - fraction) << 23;
    uint32_t subnormal = bits_of(float_of(magnitude) + float_of(magic)) - magic;
    return magnitude < (bias + 1) << 23 ? subnormal : normal;
}

static inline float from_fp16(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t bits = widen(magnitude, 112);
    bits = magnitude >= 0x7c00u << 13 ? magnitude | 0x7f800000 : bits;
    bits = magnitude > 0x7c00u << 13 ? bits | 0x00400000 : bits; /* NaN becomes quiet */
    return float_of(sign | bits);
}

static inline uint16_t to_fp16(float value)
{
    uint32_t sign = bits_of(value) >> 16 & 0x8000;
    uint32_t magnitude = bits_of(value) & 0x7fffffff;
    uint32_t half = narrow(magnitude, 10, 112);
    half = magnitude >= 0x477ff000 ? 0x7c00 : half; /* 65520 */
    half = magnitude > 0x7f800000 ? 0x7e00 | (magnitude >> 13 & 0x3ff) : half;
    return (uint16_t)(sign | half);
}

static inline float from_bf16(uint16_t brain)
{
    return float_of((uint32_t)brain << 16);
}

static inline uint16_t to_bf16(float value)
{
    uint32_t bits = bits_of(value);
    uint32_t brain = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? 0xffff : brain);
}

static inline float from_e4m3(uint8_t byte)
{
    uint32_t sign = (uint32_t)(byte & 0x80) << 24;
    uint32_t magnitude = (uint32_t)(byte & 0x7f) << 20;
    uint32_t bits = magnitude == 0x7fu << 20 ? 0x7ff00000 : widen(magnitude, 120);
    return float_of(sign | bits);
}

static inline uint8_t to_e4m3(float value)
{
    uint32_t sign = bits_of(value) >> 24 & 0x80;
    uint32_t magnitude = bits_of(value) & 0x7fffffff;
    uint32_t byte = narrow(magnitude, 3, 120);
    byte = magnitude > 0x43e80000 ? 0x7e : byte; /* above 464: clipped to 448 */
    byte = magnitude > 0x7f800000 ? 0x7f : byte;
    return (uint8_t)(sign | byte);
}

static inline float from_e5m2(uint8_t byte)
{
    return from_fp16((uint16_t)(byte << 8));
}

static inline uint8_t to_e5m2(float value)
{
    uint32_t sign = bits_of(value) >> 24 & 0x80;
    uint32_t magnitude = bits_of(value) & 0x7fffffff;
    uint32_t byte = narrow(magnitude, 2, 112);
    byte = magnitude >= 0x47700000 ? 0x7c : byte; /* 61440 */
    byte = magnitude > 0x7f800000 ? 0x7f : byte;
    return (uint8_t)(sign | byte);
}

/* Truncate toward zero and clip to the format; NaN becomes 0, and true as a bool. */
static inline int64_t to_integer(double value, enum code code)
{
    static const struct { int64_t least, greatest; } LIMITS[CODES] = {
        [CODE_INT64] = {INT64_MIN, INT64_MAX},
        [CODE_INT32] = {INT32_MIN, INT32_MAX},
        [CODE_INT16] = {INT16_MIN, INT16_MAX},
        [CODE_INT8] = {INT8_MIN, INT8_MAX},
        [CODE_UINT8] = {0, UINT8_MAX},
    };
    if (code == CODE_BOOL)
        return value != 0;
    if (isnan(value))
        return 0;
    if (value <= RANGE[code].low)
        return LIMITS[code].least;
    return value >= RANGE[code].high ? LIMITS[code].greatest : (int64_t)value;
}

#endif
