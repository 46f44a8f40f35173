/* out = round(sum of weight * input), element by element, between all number formats.

   The work goes block by block through the nearest caches: every input is widened to fp32 (or
   fp64), weighted and added in order; the sum is narrowed once. So N formats need N readers and N
   writers, not N * N loops. Plain C11 without Python. */

#ifndef KANNA_KERNEL_SUM_H
#define KANNA_KERNEL_SUM_H

#include "_kernel_blocks.h"
#include "_kernel_numbers.h"

#if defined _MSC_VER
#pragma fp_contract(off) /* other compilers: -ffp-contract=off */
#endif

/* ---- the loops of every instruction set ----------------------------------------------------- */

enum { LANES = 8 };

/* Partial sums of a comparison, see _kernel_measures.h. */
struct lanes { double xx[LANES], yy[LANES], xy[LANES], dd[LANES], largest[LANES]; };

struct loops {
    const char *name;
    void (*read[CODES])(float *restrict values, const uint8_t *restrict data, size_t n);
    void (*write[CODES])(uint8_t *restrict data, const float *restrict values, size_t n);
    void (*scale)(float *restrict sum, float weight, size_t n);
    void (*add)(float *restrict sum, const float *restrict values, float weight, size_t n);
    void (*scale_wide)(double *restrict sum, const float *restrict values, double weight, size_t n);
    void (*add_wide)(double *restrict sum, const float *restrict values, double weight, size_t n);
    void (*round_wide)(float *restrict values, const double *restrict sum, size_t n);
    int (*inside)(const float *values, float low, float high, size_t n);
    uint32_t (*greatest)(const float *values, size_t n);
    void (*rank)(uint8_t *restrict ranks, const float *restrict values, float factor,
                 const float *restrict limits, size_t n);
    void (*spread4)(float *restrict values, const uint8_t *restrict packed,
                    const float *restrict table, float factor, size_t n);
    void (*differ)(struct lanes *sums, const float *restrict x, const float *restrict y, size_t n);
    void (*differ_wide)(struct lanes *sums, const double *restrict x, const double *restrict y,
                        size_t n);
};

#define LOOP(name) portable_##name
#define LOOP_NAME "portable"
#define TARGET
#include "_kernel_loops.h"

#if defined __x86_64__ || defined _M_X64
#include <immintrin.h>
#define LOOP(name) avx2_##name
#define LOOP_NAME "avx2"
#if defined __GNUC__ || defined __clang__
#define TARGET __attribute__((target("avx2,f16c")))
#else
#define TARGET
#endif
#define LOOPS_F16C
#include "_kernel_loops.h"
#undef LOOPS_F16C
#endif

#if defined __aarch64__
#include <arm_neon.h>
#define LOOP(name) neon_##name
#define LOOP_NAME "neon"
#define TARGET
#define LOOPS_NEON
#include "_kernel_loops.h"
#undef LOOPS_NEON
#endif

#if defined _M_X64
#include <intrin.h>
static int has_avx2(void)
{
    enum { F16C = 1 << 29, AVX = 1 << 28, OSXSAVE = 1 << 27, AVX2 = 1 << 5, YMM_STATE = 6 };
    int most[4], basic[4], extended[4];
    __cpuid(most, 0);
    __cpuid(basic, 1);
    if (most[0] < 7 || (~basic[2] & (F16C | AVX | OSXSAVE)))
        return 0;
    __cpuidex(extended, 7, 0);
    return (extended[1] & AVX2) && (_xgetbv(0) & YMM_STATE) == YMM_STATE;
}
#elif defined __x86_64__
#include <cpuid.h>
static int has_avx2(void)
{
    unsigned a, b, c = 0, d;
    int has_f16c = __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 29);
    return has_f16c && __builtin_cpu_supports("avx2"); /* which asks the system as well */
}
#endif

/* The loops that this machine can run, by number: the fastest first, NULL after the last. */
static const struct loops *usable_loops(size_t number)
{
    const struct loops *usable[2] = {NULL, NULL};
    size_t found = 0;
#if defined __x86_64__ || defined _M_X64
    if (has_avx2())
        usable[found++] = &avx2_loops;
#elif defined __aarch64__
    usable[found++] = &neon_loops;
#endif
    usable[found++] = &portable_loops;
    return number < found ? usable[number] : NULL;
}

/* ---- the sum -------------------------------------------------------------------------------- */

struct input {
    const uint8_t *data;
    enum code code;
    double weight;
};

struct sum {
    uint8_t *out;
    enum code code;
    const struct input *inputs; /* added in this order */
    size_t input_count;
    size_t count; /* elements in `out` and in every input */
    int wide;     /* add in fp64 */
};

struct counts {
    size_t nan_out;    /* sums that are NaN */
    size_t nan_made;   /* of these, the ones without a NaN among their inputs */
    size_t overflowed; /* sums of finite inputs that became Inf or were clipped */
    size_t inf_in;     /* elements with an Inf among their inputs */
};

enum { BLOCK = 2048 }; /* elements: what they need stays in the nearest caches; whole blocks */

struct block {
    size_t start, n;
    float total[BLOCK];       /* the sums in fp32, */
    double wide_total[BLOCK]; /* or in fp64 */
    uint8_t lost[BLOCK];      /* sums that are NaN or Inf, where an output of blocks has any */
    int any_lost;
};

/* One input with weight 1: its bits, those of NaN too, become what torch makes of them. */
static int is_conversion(const struct sum *sum)
{
    return sum->input_count == 1 && sum->inputs[0].weight == 1.0;
}

static int is_copy(const struct sum *sum)
{
    return is_conversion(sum) && sum->inputs[0].code == sum->code;
}

/* A target that can hold more than the 24 bits of fp32 is always summed in fp64. Every other one is
   rounded from fp32, as in torch, even when the sum was made in fp64. */
static int is_wide(enum code code)
{
    return code == CODE_FP64 || (code >= CODE_INT64 && code <= CODE_BOOL);
}

static const uint8_t *data_of(const struct input *input, size_t start)
{
    return input->data + bytes_of(input->code, start);
}

static void read_wide(const struct loops *loops, const struct input *input, size_t start,
                      double *restrict values, size_t n)
{
    const uint8_t *data = data_of(input, start);
    float singles[BLOCK];
    if (input->code == CODE_FP64) {
        memcpy(values, data, n * sizeof *values);
    } else if (input->code == CODE_INT64) {
        for (size_t i = 0; i < n; i++) {
            int64_t integer;
            memcpy(&integer, data + i * sizeof integer, sizeof integer);
            values[i] = (double)integer;
        }
    } else if (input->code == CODE_INT32) {
        for (size_t i = 0; i < n; i++) {
            int32_t integer;
            memcpy(&integer, data + i * sizeof integer, sizeof integer);
            values[i] = integer;
        }
    } else { /* fp32 holds every value of the others */
        loops->read[input->code](singles, data, n);
        for (size_t i = 0; i < n; i++)
            values[i] = singles[i];
    }
}

static void add_up(const struct sum *sum, const struct loops *loops, struct block *block)
{
    float values[BLOCK];
    const struct input *input = sum->inputs;
    loops->read[input->code](block->total, data_of(input, block->start), block->n);
    if (!is_conversion(sum))
        loops->scale(block->total, (float)input->weight, block->n);
    for (size_t k = 1; k < sum->input_count; k++) {
        input = &sum->inputs[k];
        loops->read[input->code](values, data_of(input, block->start), block->n);
        loops->add(block->total, values, (float)input->weight, block->n);
    }
}

/* Whether fp32 holds every value of a format. */
static int fits_fp32(enum code code)
{
    return code != CODE_FP64 && code != CODE_INT64 && code != CODE_INT32;
}

static void add_up_wide(const struct sum *sum, const struct loops *loops, struct block *block)
{
    float singles[BLOCK];
    double values[BLOCK], *restrict total = block->wide_total;
    for (size_t k = 0; k < sum->input_count; k++) {
        const struct input *input = &sum->inputs[k];
        if (fits_fp32(input->code)) {
            loops->read[input->code](singles, data_of(input, block->start), block->n);
            (k ? loops->add_wide : loops->scale_wide)(total, singles, input->weight, block->n);
            continue;
        }
        read_wide(loops, input, block->start, k ? values : total, block->n);
        for (size_t i = 0; i < block->n; i++)
            total[i] = k ? total[i] + input->weight * values[i] : total[i] * input->weight;
    }
    if (!is_wide(sum->code))
        loops->round_wide(block->total, total, block->n);
}

/* Whether every sum of the block lies in the target's range. If so there is nothing to count: an
   Inf or NaN among the inputs is never lost in a sum. */
static int is_inside(const struct sum *sum, const struct loops *loops, const struct block *block)
{
    double low = RANGE[sum->code].low, high = RANGE[sum->code].high;
    unsigned all = 1;
    if (!is_wide(sum->code))
        return loops->inside(block->total, (float)low, (float)high, block->n);
    for (size_t i = 0; i < block->n; i++)
        all &= (unsigned)(block->wide_total[i] > low) & (unsigned)(block->wide_total[i] < high);
    return (int)all;
}

/* Count what is out of range in a block, and let every NaN of a true sum have the same bits, which
   processors choose differently. Blocks that need this are rare, so it need not be fast. */
static void settle(const struct sum *sum, const struct loops *loops, struct block *block,
                   struct counts *counts)
{
    double low = RANGE[sum->code].low, high = RANGE[sum->code].high, values[BLOCK];
    uint8_t nan_in[BLOCK] = {0}, inf_in[BLOCK] = {0};
    for (size_t k = 0; k < sum->input_count; k++) {
        read_wide(loops, &sum->inputs[k], block->start, values, block->n);
        for (size_t i = 0; i < block->n; i++) {
            nan_in[i] |= isnan(values[i]) != 0;
            inf_in[i] |= isinf(values[i]) != 0;
        }
    }
    for (size_t i = 0; i < block->n; i++) {
        double total = is_wide(sum->code) ? block->wide_total[i] : block->total[i];
        int is_nan = isnan(total) != 0;
        counts->inf_in += inf_in[i];
        counts->nan_out += is_nan;
        counts->nan_made += is_nan && !nan_in[i];
        counts->overflowed += !is_nan && !inf_in[i] && !(total > low && total < high);
        block->lost[i] = !isfinite(total);
        if (is_nan && !(is_conversion(sum) && !is_blocks(sum->inputs[0].code)))
            block->wide_total[i] = block->total[i] = float_of(0x7fc00000);
    }
    block->any_lost = 1;
}

/* Encode what is finite. NaN becomes 0, as in integers; Inf the greatest magnitude beside it, so
   that the rest of the block stays what it is. A scale beyond fp16 takes its whole block along. */
static void write_blocks(const struct sum *sum, const struct loops *loops, struct block *block,
                         struct counts *counts)
{
    size_t size = PIECE[sum->code].elements, bytes = PIECE[sum->code].bytes;
    uint8_t *out = sum->out + bytes_of(sum->code, block->start);
    for (size_t i = 0; block->any_lost && i < block->n; i += size)
        make_finite(block->total + i, size);
    loops->write[sum->code](out, block->total, block->n);
    for (size_t i = 0; i < block->n; i += size, out += bytes) {
        if (has_finite_scale(out, sum->code))
            continue;
        counts->overflowed += size;
        for (size_t k = i; block->any_lost && k < i + size; k++)
            counts->overflowed -= block->lost[k];
    }
}

static void write_block(const struct sum *sum, const struct loops *loops, struct block *block,
                        struct counts *counts)
{
    size_t width = PIECE[sum->code].bytes;
    uint8_t *out = sum->out + bytes_of(sum->code, block->start);
    if (is_copy(sum)) {
        memmove(out, data_of(sum->inputs, block->start), bytes_of(sum->code, block->n));
    } else if (is_blocks(sum->code)) {
        write_blocks(sum, loops, block, counts);
    } else if (!is_wide(sum->code)) {
        loops->write[sum->code](out, block->total, block->n);
    } else if (sum->code == CODE_FP64) {
        memcpy(out, block->wide_total, block->n * sizeof *block->wide_total);
    } else {
        for (size_t i = 0; i < block->n; i++) {
            int64_t integer = to_integer(block->wide_total[i], sum->code);
            memcpy(out + i * width, &integer, width); /* its low bytes */
        }
    }
}

static struct counts weighted_sum(const struct sum *sum, const struct loops *loops)
{
    struct counts counts = {0, 0, 0, 0};
    struct block block;
    for (block.start = 0; block.start < sum->count; block.start += BLOCK) {
        block.n = sum->count - block.start < BLOCK ? sum->count - block.start : BLOCK;
        block.any_lost = 0;
        if (sum->wide || is_wide(sum->code))
            add_up_wide(sum, loops, &block);
        else
            add_up(sum, loops, &block);
        if (!is_inside(sum, loops, &block))
            settle(sum, loops, &block, &counts);
        write_block(sum, loops, &block, &counts);
    }
    return counts;
}

#endif
