/* The inner loops, over at most one block. _kernel_sum.h includes them once per instruction set:
   LOOP(name) and LOOP_NAME name the loops of that set, TARGET lets the compiler use it. Compilers
   turn the plain C below into vector code by themselves; only fp16 has instructions of its own
   (F16C, NEON), and they are spelled out.

   Data may start at any byte, so it is read and written with memcpy, which costs nothing. */

/* ---- inputs -> fp32 ------------------------------------------------------------------------- */

#define READ(NAME, TYPE, EXPRESSION)                                                               \
    TARGET static void LOOP(read_##NAME)(float *restrict values, const uint8_t *restrict data,     \
                                         size_t n)                                                 \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            TYPE x;                                                                                \
            memcpy(&x, data + i * sizeof x, sizeof x);                                             \
            values[i] = (EXPRESSION);                                                              \
        }                                                                                          \
    }

READ(fp64, double, (float)x)
READ(bf16, uint16_t, from_bf16(x))
READ(e4m3, uint8_t, from_e4m3(x))
READ(e5m2, uint8_t, from_e5m2(x))
READ(int64, int64_t, (float)x)
READ(int32, int32_t, (float)x)
READ(int16, int16_t, (float)x)
READ(int8, int8_t, (float)x)
READ(uint8, uint8_t, (float)x)
READ(bool, uint8_t, (float)(x != 0))
#undef READ

TARGET static void LOOP(read_fp32)(float *restrict values, const uint8_t *restrict data, size_t n)
{
    memcpy(values, data, n * sizeof *values);
}

TARGET static void LOOP(read_fp16)(float *restrict values, const uint8_t *restrict data, size_t n)
{
    size_t i = 0;
#if defined LOOPS_F16C
    for (; i + 8 <= n; i += 8) {
        __m128i halves = _mm_loadu_si128((const __m128i *)(data + 2 * i));
        _mm256_storeu_ps(values + i, _mm256_cvtph_ps(halves));
    }
#elif defined LOOPS_NEON
    for (; i + 4 <= n; i += 4) {
        float16x4_t halves = vreinterpret_f16_u8(vld1_u8(data + 2 * i));
        vst1q_f32(values + i, vcvt_f32_f16(halves));
    }
#endif
    for (; i < n; i++) {
        uint16_t half;
        memcpy(&half, data + 2 * i, sizeof half);
        values[i] = from_fp16(half);
    }
}

/* ---- fp32 -> outputs ------------------------------------------------------------------------ */

#define WRITE(NAME, TYPE, FUNCTION)                                                                \
    TARGET static void LOOP(write_##NAME)(uint8_t *restrict data, const float *restrict values,    \
                                          size_t n)                                                \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            TYPE x = (TYPE)FUNCTION(values[i]);                                                    \
            memcpy(data + i * sizeof x, &x, sizeof x);                                             \
        }                                                                                          \
    }

WRITE(bf16, uint16_t, to_bf16)
WRITE(e4m3, uint8_t, to_e4m3)
WRITE(e5m2, uint8_t, to_e5m2)
#undef WRITE

TARGET static void LOOP(write_fp32)(uint8_t *restrict data, const float *restrict values, size_t n)
{
    memcpy(data, values, n * sizeof *values);
}

TARGET static void LOOP(write_fp16)(uint8_t *restrict data, const float *restrict values, size_t n)
{
    size_t i = 0;
#if defined LOOPS_F16C
    for (; i + 8 <= n; i += 8) {
        __m256 floats = _mm256_loadu_ps(values + i);
        __m128i halves = _mm256_cvtps_ph(floats, _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128((__m128i *)(data + 2 * i), halves);
    }
#elif defined LOOPS_NEON
    for (; i + 4 <= n; i += 4) {
        float16x4_t halves = vcvt_f16_f32(vld1q_f32(values + i));
        vst1_u8(data + 2 * i, vreinterpret_u8_f16(halves));
    }
#endif
    for (; i < n; i++) {
        uint16_t half = to_fp16(values[i]);
        memcpy(data + 2 * i, &half, sizeof half);
    }
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

TARGET static void LOOP(scale)(float *restrict sum, float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] *= weight;
}

TARGET static void LOOP(add)(float *restrict sum, const float *restrict values, float weight,
                             size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * values[i];
}

/* The same in fp64, of what fp32 holds. */
TARGET static void LOOP(scale_wide)(double *restrict sum, const float *restrict values,
                                    double weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = weight * (double)values[i];
}

TARGET static void LOOP(add_wide)(double *restrict sum, const float *restrict values,
                                  double weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * (double)values[i];
}

TARGET static void LOOP(round_wide)(float *restrict values, const double *restrict sum, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = (float)sum[i];
}

TARGET static int LOOP(inside)(const float *values, float low, float high, size_t n)
{
    uint32_t all = 1;
    for (size_t i = 0; i < n; i++)
        all &= (uint32_t)(values[i] > low) & (uint32_t)(values[i] < high);
    return (int)all;
}

/* ---- GGUF's blocks --------------------------------------------------------------------------- */

#define READ_BLOCKS(NAME, CODE)                                                                    \
    TARGET static void LOOP(read_##NAME)(float *restrict values, const uint8_t *restrict data,     \
                                         size_t n)                                                 \
    {                                                                                              \
        size_t size = PIECE[CODE].elements, bytes = PIECE[CODE].bytes;                             \
        for (; n >= size; n -= size, values += size, data += bytes)                                \
            decode_##NAME(values, data);                                                           \
    }

#define WRITE_BLOCKS(NAME, CODE)                                                                   \
    TARGET static void LOOP(write_##NAME)(uint8_t *restrict data, const float *restrict values,    \
                                          size_t n)                                                \
    {                                                                                              \
        size_t size = PIECE[CODE].elements, bytes = PIECE[CODE].bytes;                             \
        for (; n >= size; n -= size, values += size, data += bytes)                                \
            encode_##NAME(data, values);                                                           \
    }

READ_BLOCKS(q4_0, CODE_Q4_0)
READ_BLOCKS(q4_1, CODE_Q4_1)
READ_BLOCKS(q5_0, CODE_Q5_0)
READ_BLOCKS(q5_1, CODE_Q5_1)
READ_BLOCKS(q8_0, CODE_Q8_0)
READ_BLOCKS(q2_k, CODE_Q2_K)
READ_BLOCKS(q3_k, CODE_Q3_K)
READ_BLOCKS(q4_k, CODE_Q4_K)
READ_BLOCKS(q5_k, CODE_Q5_K)
READ_BLOCKS(q6_k, CODE_Q6_K)
READ_BLOCKS(iq4_nl, CODE_IQ4_NL)
READ_BLOCKS(iq4_xs, CODE_IQ4_XS)
READ_BLOCKS(tq1_0, CODE_TQ1_0)
READ_BLOCKS(tq2_0, CODE_TQ2_0)
READ_BLOCKS(mxfp4, CODE_MXFP4)
WRITE_BLOCKS(q4_0, CODE_Q4_0)
WRITE_BLOCKS(q4_1, CODE_Q4_1)
WRITE_BLOCKS(q5_0, CODE_Q5_0)
WRITE_BLOCKS(q5_1, CODE_Q5_1)
WRITE_BLOCKS(q8_0, CODE_Q8_0)
#undef READ_BLOCKS
#undef WRITE_BLOCKS

/* ---- codebooks and measures ------------------------------------------------------------------ */

/* The bits of the greatest magnitude; more than those of Inf if there is a NaN. */
TARGET static uint32_t LOOP(greatest)(const float *values, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = bits_of(values[i]) & 0x7fffffff;
        most = bits > most ? bits : most;
    }
    return most;
}

/* How many of the 15 limits each value, times the factor, exceeds: all of them, if it is NaN. */
TARGET static void LOOP(rank)(uint8_t *restrict ranks, const float *restrict values, float factor,
                              const float *restrict limits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float value = values[i] * factor;
        uint32_t rank = 0;
        for (size_t k = 0; k < 15; k++)
            rank += !(limits[k] >= value);
        ranks[i] = (uint8_t)rank;
    }
}

/* Look nibbles up, the high one of a byte first, and multiply; `n` bytes. */
TARGET static void LOOP(spread4)(float *restrict values, const uint8_t *restrict packed,
                                 const float *restrict table, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        values[2 * i] = table[packed[i] >> 4] * factor;
        values[2 * i + 1] = table[packed[i] & 15] * factor;
    }
}

/* Add x*x, y*y, x*y and (x-y)^2 to LANES sums each, the i-th element to the (i % LANES)-th. */
#define DIFFER(NAME, TYPE)                                                                         \
    TARGET static void LOOP(NAME)(struct lanes *sums, const TYPE *restrict x,                      \
                                  const TYPE *restrict y, size_t n)                                \
    {                                                                                              \
        for (size_t i = 0; i < n; i += LANES)                                                      \
            for (size_t k = 0; k < LANES; k++) {                                                   \
                double a = (double)x[i + k], b = (double)y[i + k], gap = fabs(a - b);              \
                sums->xx[k] += a * a;                                                              \
                sums->yy[k] += b * b;                                                              \
                sums->xy[k] += a * b;                                                              \
                sums->dd[k] += gap * gap;                                                          \
                sums->largest[k] = gap > sums->largest[k] ? gap : sums->largest[k];                \
            }                                                                                      \
    }

DIFFER(differ_wide, double)
#if defined LOOPS_F16C
/* The same for floats, four lanes after the other four. */
TARGET static void LOOP(differ)(struct lanes *sums, const float *restrict x,
                                const float *restrict y, size_t n)
{
    for (size_t k = 0; k < LANES; k += 4) {
        __m256d xx = _mm256_loadu_pd(sums->xx + k), yy = _mm256_loadu_pd(sums->yy + k);
        __m256d xy = _mm256_loadu_pd(sums->xy + k), dd = _mm256_loadu_pd(sums->dd + k);
        __m256d largest = _mm256_loadu_pd(sums->largest + k), sign = _mm256_set1_pd(-0.0);
        for (size_t i = k; i < n + k; i += LANES) {
            __m256d a = _mm256_cvtps_pd(_mm_loadu_ps(x + i));
            __m256d b = _mm256_cvtps_pd(_mm_loadu_ps(y + i));
            __m256d gap = _mm256_andnot_pd(sign, _mm256_sub_pd(a, b));
            xx = _mm256_add_pd(xx, _mm256_mul_pd(a, a));
            yy = _mm256_add_pd(yy, _mm256_mul_pd(b, b));
            xy = _mm256_add_pd(xy, _mm256_mul_pd(a, b));
            dd = _mm256_add_pd(dd, _mm256_mul_pd(gap, gap));
            largest = _mm256_max_pd(largest, gap);
        }
        _mm256_storeu_pd(sums->xx + k, xx);
        _mm256_storeu_pd(sums->yy + k, yy);
        _mm256_storeu_pd(sums->xy + k, xy);
        _mm256_storeu_pd(sums->dd + k, dd);
        _mm256_storeu_pd(sums->largest + k, largest);
    }
}
#else
DIFFER(differ, float)
#endif
#undef DIFFER

static const struct loops LOOP(loops) = {
    LOOP_NAME,
    {LOOP(read_fp64), LOOP(read_fp32), LOOP(read_fp16), LOOP(read_bf16), LOOP(read_e4m3),
     LOOP(read_e5m2), LOOP(read_int64), LOOP(read_int32), LOOP(read_int16), LOOP(read_int8),
     LOOP(read_uint8), LOOP(read_bool), LOOP(read_q4_0), LOOP(read_q4_1), LOOP(read_q5_0),
     LOOP(read_q5_1), LOOP(read_q8_0), LOOP(read_q2_k), LOOP(read_q3_k), LOOP(read_q4_k),
     LOOP(read_q5_k), LOOP(read_q6_k), LOOP(read_iq4_nl), LOOP(read_iq4_xs), LOOP(read_tq1_0),
     LOOP(read_tq2_0), LOOP(read_mxfp4)},
    {[CODE_FP32] = LOOP(write_fp32), [CODE_FP16] = LOOP(write_fp16),
     [CODE_BF16] = LOOP(write_bf16), [CODE_E4M3] = LOOP(write_e4m3),
     [CODE_E5M2] = LOOP(write_e5m2), [CODE_Q4_0] = LOOP(write_q4_0),
     [CODE_Q4_1] = LOOP(write_q4_1), [CODE_Q5_0] = LOOP(write_q5_0),
     [CODE_Q5_1] = LOOP(write_q5_1), [CODE_Q8_0] = LOOP(write_q8_0)},
    LOOP(scale), LOOP(add), LOOP(scale_wide), LOOP(add_wide), LOOP(round_wide), LOOP(inside),
    LOOP(greatest), LOOP(rank), LOOP(spread4), LOOP(differ), LOOP(differ_wide),
};

#undef LOOP
#undef LOOP_NAME
#undef TARGET
