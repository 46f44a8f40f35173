/* Numbers as places in a table, times the greatest magnitude of their block: bitsandbytes' 4-bit
   formats and the 8-bit one in which it keeps the magnitudes themselves.

   Bits are those of bitsandbytes on the CPU: its quantize_4bit compares with the middles between
   neighbours in the table and gives ties to the lower one; its quantize_blockwise first rounds to
   one of 65,536 steps from -1 to 1. */

#ifndef KANNA_KERNEL_CODEBOOKS_H
#define KANNA_KERNEL_CODEBOOKS_H

#include "_kernel_sum.h"

enum { LONGEST = 4096 }; /* elements in the longest block: two fit into the nearest cache */

struct packing {
    uint8_t *packed;
    uint8_t *absmax; /* fp32, one per block */
    const uint8_t *data;
    enum code code; /* of the data; no blocks */
    size_t count;
    size_t block; /* elements that share an absmax, at most LONGEST */
    const float *table;
};

/* The elements of one block beside NaN and Inf go down with them; see kanna.kernel.Counts. */
static struct counts count_lost(const float *values, size_t n)
{
    struct counts found = {0, 0, 0, 0};
    for (size_t i = 0; i < n; i++) {
        found.nan_out += isnan(values[i]) != 0;
        found.inf_in += isinf(values[i]) != 0;
    }
    return found;
}

static void add_counts(struct counts *sum, struct counts more)
{
    sum->nan_out += more.nan_out;
    sum->nan_made += more.nan_made;
    sum->overflowed += more.overflowed;
    sum->inf_in += more.inf_in;
}

/* Read as many whole blocks as fit into `values`, and return how many elements that is. */
static size_t read_blocks(const struct packing *job, const struct loops *loops, size_t start,
                          float *values)
{
    size_t most = LONGEST / job->block * job->block, left = job->count - start;
    size_t n = left < most ? left : most;
    loops->read[job->code](values, job->data + bytes_of(job->code, start), n);
    return n;
}

/* ---- 4 bits --------------------------------------------------------------------------------- */

/* What a rank among the limits means: `pairs` turns two ranks, each in a nibble, into two codes. */
struct ranking {
    float limits[15];
    uint8_t codes[16];
    uint8_t pairs[256];
};

static struct ranking rank_table(const float *table)
{
    struct ranking ranking;
    for (unsigned i = 0; i < 16; i++) { /* equal values keep their order */
        unsigned place = i;
        for (; place > 0 && table[ranking.codes[place - 1]] > table[i]; place--)
            ranking.codes[place] = ranking.codes[place - 1];
        ranking.codes[place] = (uint8_t)i;
    }
    for (unsigned i = 0; i < 15; i++)
        ranking.limits[i] = (table[ranking.codes[i]] + table[ranking.codes[i + 1]]) / 2;
    for (unsigned i = 0; i < 256; i++)
        ranking.pairs[i] = (uint8_t)(ranking.codes[i >> 4] << 4 | ranking.codes[i & 15]);
    return ranking;
}

/* A whole block is multiplied by the inverse of its absmax; the last one, if it is shorter, is
   divided, and its absmax kept above 1e-38: as bitsandbytes does. */
static void rank_block(const struct packing *job, const struct loops *loops,
                       const struct ranking *ranking, float *values, size_t n, uint8_t *ranks,
                       float *absmax)
{
    float divisor = *absmax < 1e-38f ? 1e-38f : *absmax, factor = 1 / divisor;
    if (n < job->block) {
        for (size_t i = 0; i < n; i++)
            values[i] /= divisor;
        factor = 1;
        *absmax = divisor;
    }
    loops->rank(ranks, values, factor, ranking->limits, n);
}

static struct counts count_lost4(const float *values, size_t n)
{
    struct counts counts = count_lost(values, n);
    counts.nan_made = n - counts.nan_out - (counts.nan_out ? 0 : counts.inf_in);
    counts.nan_out += counts.nan_made;
    return counts;
}

static struct counts pack4(const struct packing *job, const struct loops *loops)
{
    struct counts counts = {0, 0, 0, 0};
    struct ranking ranking = rank_table(job->table);
    float values[LONGEST];
    uint8_t ranks[LONGEST + 1];
    for (size_t start = 0, n; start < job->count; start += n) {
        n = read_blocks(job, loops, start, values);
        for (size_t i = 0; i < n; i += job->block) {
            size_t length = n - i < job->block ? n - i : job->block;
            uint32_t most = loops->greatest(values + i, length);
            float absmax = float_of(most > INF_BITS ? 0x7fc00000 : most);
            if (most >= INF_BITS)
                add_counts(&counts, count_lost4(values + i, length));
            rank_block(job, loops, &ranking, values + i, length, ranks + i, &absmax);
            memcpy(job->absmax + (start + i) / job->block * sizeof absmax, &absmax, sizeof absmax);
        }
        float zero = 0;
        loops->rank(ranks + n, &zero, 1, ranking.limits, n % 2); /* the last nibble of an odd count */
        for (size_t i = 0; i < n; i += 2)
            job->packed[(start + i) / 2] = ranking.pairs[ranks[i] << 4 | ranks[i + 1]];
    }
    return counts;
}

/* ---- 8 bits --------------------------------------------------------------------------------- */

/* The places of numbers from -1 to 1 in a table of 256: how many of the limits between its entries
   are below the nearest of 65,536 steps; 0 for NaN. One loop for all instruction sets: gathering
   vectors from the limits is slower on many processors than fetching one after the other. */
static void find_codes(uint8_t *restrict codes, const float *restrict values, float factor,
                       const float *restrict limits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float value = values[i] * factor;
        value = value > -1 ? value : -1; /* NaN too */
        value = value < 1 ? value : 1;
        int32_t step = (int32_t)((value + 1) * 0.5f * 65535 + 0.5f), code = 0;
        float point = -1 + 2.0f * (float)step / 65535;
        for (int32_t power = 7; power >= 0; power--) /* a sum, for branches here are guesses */
            code += (int32_t)(limits[code + (1 << power) - 1] < point) << power;
        codes[i] = (uint8_t)code;
    }
}

static struct counts count_lost8(const float *values, size_t n)
{
    struct counts counts = count_lost(values, n);
    if (counts.inf_in)
        counts.overflowed = n - counts.nan_out - counts.inf_in;
    return counts;
}

/* NaN has no say in the absmax and gets code 0. */
static float absmax_of(const float *values, size_t n, uint32_t most)
{
    float absmax = 0;
    if (most <= INF_BITS)
        return float_of(most);
    for (size_t i = 0; i < n; i++)
        absmax = fabsf(values[i]) > absmax ? fabsf(values[i]) : absmax;
    return absmax;
}

static struct counts pack8(const struct packing *job, const struct loops *loops)
{
    struct counts counts = {0, 0, 0, 0};
    float values[LONGEST], limits[256];
    for (unsigned i = 0; i < 255; i++)
        limits[i] = 0.5f * (job->table[i] + job->table[i + 1]);
    limits[255] = INFINITY;
    for (size_t start = 0, n; start < job->count; start += n) {
        n = read_blocks(job, loops, start, values);
        for (size_t i = 0; i < n; i += job->block) {
            size_t length = n - i < job->block ? n - i : job->block;
            uint32_t most = loops->greatest(values + i, length);
            float absmax = absmax_of(values + i, length, most), factor = 1 / absmax;
            if (most >= INF_BITS)
                add_counts(&counts, count_lost8(values + i, length));
            if (absmax > 0)
                find_codes(job->packed + start + i, values + i, factor, limits, length);
            else /* nothing but zeros and NaN */
                memset(job->packed + start + i, 0, length);
            memcpy(job->absmax + (start + i) / job->block * sizeof absmax, &absmax, sizeof absmax);
        }
    }
    return counts;
}

/* ---- and back ------------------------------------------------------------------------------- */

struct unpacking {
    uint8_t *out;
    enum code code; /* of the output: a float but fp64 */
    const uint8_t *packed;
    const uint8_t *absmax;
    size_t count, block;
    const float *table;
    int bits; /* of a code: 4, or 8 */
};

static void spread_block(const struct unpacking *job, const struct loops *loops, size_t start,
                         float *values, size_t n)
{
    float absmax;
    memcpy(&absmax, job->absmax + start / job->block * sizeof absmax, sizeof absmax);
    if (job->bits == 4) {
        loops->spread4(values, job->packed + start / 2, job->table, absmax, (n + 1) / 2);
        return;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = job->table[job->packed[start + i]] * absmax;
}

/* Count, and let every NaN have the same bits. */
static void settle_values(const struct unpacking *job, float *values, size_t n,
                          struct counts *counts)
{
    float low = (float)RANGE[job->code].low, high = (float)RANGE[job->code].high;
    for (size_t i = 0; i < n; i++) {
        int is_nan = isnan(values[i]) != 0, is_inf = isinf(values[i]) != 0;
        counts->nan_out += is_nan;
        counts->inf_in += is_inf;
        counts->overflowed += !is_nan && !is_inf && !(values[i] > low && values[i] < high);
        if (is_nan)
            values[i] = float_of(0x7fc00000);
    }
}

static struct counts unpack(const struct unpacking *job, const struct loops *loops)
{
    struct counts counts = {0, 0, 0, 0};
    float values[LONGEST + 1], low = (float)RANGE[job->code].low, high = (float)RANGE[job->code].high;
    size_t most = LONGEST / job->block * job->block;
    for (size_t start = 0, n; start < job->count; start += n) {
        n = job->count - start < most ? job->count - start : most;
        for (size_t i = 0; i < n; i += job->block)
            spread_block(job, loops, start + i, values + i, n - i < job->block ? n - i : job->block);
        if (!loops->inside(values, low, high, n))
            settle_values(job, values, n, &counts);
        loops->write[job->code](job->out + bytes_of(job->code, start), values, n);
    }
    return counts;
}

#endif
