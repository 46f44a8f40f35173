/* What numbers measure: the greatest of them, and how far two tensors are apart. */

#ifndef KANNA_KERNEL_MEASURES_H
#define KANNA_KERNEL_MEASURES_H

#include "_kernel_sum.h"

struct greatest {
    double magnitude; /* of the finite numbers */
    size_t not_finite;
};

static struct greatest max_abs(const struct input *input, size_t count, const struct loops *loops)
{
    struct greatest found = {0, 0};
    float singles[BLOCK];
    double values[BLOCK];
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t n = count - start < BLOCK ? count - start : BLOCK;
        if (!is_wide(input->code)) {
            loops->read[input->code](singles, data_of(input, start), n);
            uint32_t most = loops->greatest(singles, n);
            if (most < INF_BITS) {
                found.magnitude = fmax(found.magnitude, float_of(most));
                continue;
            }
        }
        read_wide(loops, input, start, values, n);
        for (size_t i = 0; i < n; i++) {
            found.not_finite += !isfinite(values[i]);
            if (fabs(values[i]) > found.magnitude && isfinite(values[i]))
                found.magnitude = fabs(values[i]);
        }
    }
    return found;
}

struct comparison {
    size_t count; /* pairs of finite numbers; others are left out */
    double xx, yy, xy, dd;
    double largest; /* difference */
};

/* Leave pairs with a NaN or Inf out: two zeros in their place add nothing. */
static size_t leave_out(double *x, double *y, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        int both = isfinite(x[i]) && isfinite(y[i]);
        count += (size_t)both;
        x[i] = both ? x[i] : 0;
        y[i] = both ? y[i] : 0;
    }
    return count;
}

/* Compare n numbers of which some are not finite, or need fp64. */
static size_t differ_widely(const struct input *first, const struct input *second, size_t start,
                            size_t n, const struct loops *loops, struct lanes *sums)
{
    double x[BLOCK + LANES], y[BLOCK + LANES];
    read_wide(loops, first, start, x, n);
    read_wide(loops, second, start, y, n);
    for (size_t i = n; i < n + LANES; i++)
        x[i] = y[i] = 0;
    size_t count = leave_out(x, y, n);
    loops->differ_wide(sums, x, y, n);
    return count;
}

static double add_lanes(const double *lanes)
{
    double sum = 0;
    for (size_t k = 0; k < LANES; k++)
        sum += lanes[k];
    return sum;
}

/* Sums in fp64, each in LANES parts that are added at the end, so that processors can go several
   elements at a time and all come to the same bits. */
static struct comparison compare(const struct input *first, const struct input *second,
                                 size_t count, const struct loops *loops)
{
    float x[BLOCK + LANES], y[BLOCK + LANES];
    struct lanes sums = {{0}, {0}, {0}, {0}, {0}};
    struct comparison result = {0, 0, 0, 0, 0, 0};
    int wide = is_wide(first->code) || is_wide(second->code);
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t n = count - start < BLOCK ? count - start : BLOCK;
        if (!wide) {
            loops->read[first->code](x, data_of(first, start), n);
            loops->read[second->code](y, data_of(second, start), n);
            for (size_t i = n; i < n + LANES; i++)
                x[i] = y[i] = 0;
        }
        if (!wide && loops->greatest(x, n) < INF_BITS && loops->greatest(y, n) < INF_BITS) {
            loops->differ(&sums, x, y, n);
            result.count += n;
        } else {
            result.count += differ_widely(first, second, start, n, loops, &sums);
        }
    }
    result.xx = add_lanes(sums.xx);
    result.yy = add_lanes(sums.yy);
    result.xy = add_lanes(sums.xy);
    result.dd = add_lanes(sums.dd);
    for (size_t k = 0; k < LANES; k++)
        result.largest = sums.largest[k] > result.largest ? sums.largest[k] : result.largest;
    return result;
}

#endif
