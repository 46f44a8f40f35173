/* kanna._kernel: the door from Python to the arithmetic in _kernel_sum.h, _kernel_codebooks.h and
   _kernel_measures.h.

   It checks every argument, so that no call can touch memory outside the buffers it was given, and
   releases the GIL while it computes. CPython's limited API: one binary serves 3.11 and later. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_kernel_codebooks.h"
#include "_kernel_measures.h"
#include "_kernel_sum.h"

static const struct loops *active; /* set when the module is first imported */

static int is_code(long code)
{
    if (code >= 0 && code < CODES)
        return 1;
    PyErr_Format(PyExc_ValueError, "no number format has the code %ld", code);
    return 0;
}

static int is_count(Py_ssize_t count)
{
    if (count >= 0 && count <= PY_SSIZE_T_MAX / 8)
        return 1;
    PyErr_Format(PyExc_ValueError, "no buffers have %zd elements", count);
    return 0;
}

static int has_length(const Py_buffer *buffer, Py_ssize_t bytes)
{
    if (buffer->len == bytes)
        return 1;
    PyErr_Format(PyExc_ValueError, "a buffer has %zd bytes, not %zd", buffer->len, bytes);
    return 0;
}

/* Whether a buffer has exactly `count` elements of `code`, which are whole blocks. */
static int fits(const Py_buffer *buffer, enum code code, Py_ssize_t count)
{
    if ((size_t)count % PIECE[code].elements == 0)
        return has_length(buffer, (Py_ssize_t)bytes_of(code, (size_t)count));
    PyErr_Format(PyExc_ValueError, "%zd elements are not whole blocks of %zd", count,
                 (Py_ssize_t)PIECE[code].elements);
    return 0;
}

static PyObject *build_counts(struct counts counts)
{
    return Py_BuildValue("(nnnn)", (Py_ssize_t)counts.nan_out, (Py_ssize_t)counts.nan_made,
                         (Py_ssize_t)counts.overflowed, (Py_ssize_t)counts.inf_in);
}

/* ---- weighted_sum --------------------------------------------------------------------------- */

/* Fill one input from the k-th item of each tuple; `view` is held until the caller releases it. */
static int take_input(struct input *input, Py_buffer *view, PyObject *buffers, PyObject *codes,
                      PyObject *weights, Py_ssize_t k, Py_ssize_t count)
{
    long code = PyLong_AsLong(PyTuple_GetItem(codes, k));
    if ((code == -1 && PyErr_Occurred()) || !is_code(code))
        return 0;
    double weight = PyFloat_AsDouble(PyTuple_GetItem(weights, k));
    if (weight == -1.0 && PyErr_Occurred())
        return 0;
    if (PyObject_GetBuffer(PyTuple_GetItem(buffers, k), view, PyBUF_SIMPLE) < 0)
        return 0;
    *input = (struct input){view->buf, (enum code)code, weight};
    return fits(view, input->code, count);
}

static PyObject *compute(struct sum *sum)
{
    struct counts counts;
    const struct loops *loops = active;
    if (is_blocks(sum->code) && !is_written_block(sum->code) && !is_copy(sum))
        return PyErr_Format(PyExc_ValueError, "blocks of code %d are only read", (int)sum->code);
    Py_BEGIN_ALLOW_THREADS
    counts = weighted_sum(sum, loops);
    Py_END_ALLOW_THREADS
    return build_counts(counts);
}

/* Take the inputs one by one, compute when all are there, and let every taken one go. */
static PyObject *take_and_compute(struct sum *sum, PyObject *buffers, PyObject *codes,
                                  PyObject *weights)
{
    Py_ssize_t length = PyTuple_Size(buffers), taken = 0;
    struct input *inputs = PyMem_Calloc((size_t)length, sizeof *inputs);
    Py_buffer *views = PyMem_Calloc((size_t)length, sizeof *views);
    PyObject *result = NULL;
    int good = inputs && views;
    if (!good)
        PyErr_NoMemory();
    for (; good && taken < length; taken++)
        good = take_input(&inputs[taken], &views[taken], buffers, codes, weights, taken,
                          (Py_ssize_t)sum->count);
    if (good) {
        sum->inputs = inputs;
        sum->input_count = (size_t)length;
        result = compute(sum);
    }
    while (taken-- > 0)
        PyBuffer_Release(&views[taken]); /* does nothing for a view that was not got */
    PyMem_Free(views);
    PyMem_Free(inputs);
    return result;
}

static PyObject *kernel_weighted_sum(PyObject *module, PyObject *arguments)
{
    Py_buffer out;
    PyObject *buffers, *codes, *weights, *result = NULL;
    Py_ssize_t count;
    int code, wide;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "w*iO!O!O!np:weighted_sum", &out, &code, &PyTuple_Type,
                          &buffers, &PyTuple_Type, &codes, &PyTuple_Type, &weights, &count, &wide))
        return NULL;
    if (PyTuple_Size(buffers) == 0 || PyTuple_Size(codes) != PyTuple_Size(buffers) ||
        PyTuple_Size(weights) != PyTuple_Size(buffers))
        PyErr_SetString(PyExc_ValueError, "inputs, codes and weights must be equally many, not 0");
    else if (is_count(count) && is_code(code) && fits(&out, (enum code)code, count)) {
        struct sum sum = {out.buf, (enum code)code, NULL, 0, (size_t)count, wide};
        result = take_and_compute(&sum, buffers, codes, weights);
    }
    PyBuffer_Release(&out);
    return result;
}

/* ---- measures ------------------------------------------------------------------------------- */

static PyObject *kernel_max_abs(PyObject *module, PyObject *arguments)
{
    Py_buffer data;
    Py_ssize_t count;
    int code;
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*in:max_abs", &data, &code, &count))
        return NULL;
    if (is_count(count) && is_code(code) && fits(&data, (enum code)code, count)) {
        struct input input = {data.buf, (enum code)code, 1};
        const struct loops *loops = active;
        struct greatest found;
        Py_BEGIN_ALLOW_THREADS
        found = max_abs(&input, (size_t)count, loops);
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("(dn)", found.magnitude, (Py_ssize_t)found.not_finite);
    }
    PyBuffer_Release(&data);
    return result;
}

static PyObject *kernel_compare(PyObject *module, PyObject *arguments)
{
    Py_buffer first, second;
    Py_ssize_t count;
    int first_code, second_code;
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*iy*in:compare", &first, &first_code, &second, &second_code,
                          &count))
        return NULL;
    if (is_count(count) && is_code(first_code) && is_code(second_code) &&
        fits(&first, (enum code)first_code, count) &&
        fits(&second, (enum code)second_code, count)) {
        struct input x = {first.buf, (enum code)first_code, 1};
        struct input y = {second.buf, (enum code)second_code, 1};
        const struct loops *loops = active;
        struct comparison found;
        Py_BEGIN_ALLOW_THREADS
        found = compare(&x, &y, (size_t)count, loops);
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("(nddddd)", (Py_ssize_t)found.count, found.xx, found.yy, found.xy,
                               found.dd, found.largest);
    }
    PyBuffer_Release(&first);
    PyBuffer_Release(&second);
    return result;
}

/* ---- codebooks ------------------------------------------------------------------------------ */

/* Copy a table of 16 or 256 numbers, for the buffer may start at any byte. */
static int take_table(float *table, const Py_buffer *buffer, size_t entries)
{
    if (!has_length(buffer, (Py_ssize_t)(entries * sizeof *table)))
        return 0;
    memcpy(table, buffer->buf, entries * sizeof *table);
    for (size_t i = 0; i < entries; i++)
        if (!(fabsf(table[i]) <= 1) || (entries == 256 && i > 0 && table[i] < table[i - 1])) {
            PyErr_SetString(PyExc_ValueError, "a table is of numbers from -1 to 1; of 256, rising");
            return 0;
        }
    return 1;
}

static int has_shape(const Py_buffer *packed, const Py_buffer *absmax, Py_ssize_t count,
                     Py_ssize_t block, int bits)
{
    if (block <= 0 || block > LONGEST || block % 2) {
        PyErr_Format(PyExc_ValueError, "blocks are not of %zd elements", block);
        return 0;
    }
    return has_length(packed, bits == 4 ? (count + 1) / 2 : count) &&
           has_length(absmax, (count + block - 1) / block * (Py_ssize_t)sizeof(float));
}

static int is_element(int code)
{
    if (!is_code(code))
        return 0;
    if (!is_blocks((enum code)code))
        return 1;
    PyErr_SetString(PyExc_ValueError, "blocks have to be read as numbers first");
    return 0;
}

static PyObject *pack(PyObject *arguments, int bits)
{
    Py_buffer packed, absmax, data, table;
    Py_ssize_t count, block;
    int code;
    float numbers[256];
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(arguments, "w*w*y*iny*n:pack", &packed, &absmax, &data, &code, &count,
                          &table, &block))
        return NULL;
    if (is_count(count) && is_element(code) && fits(&data, (enum code)code, count) &&
        has_shape(&packed, &absmax, count, block, bits) &&
        take_table(numbers, &table, (size_t)1 << bits)) {
        struct packing job = {packed.buf, absmax.buf, data.buf, (enum code)code,
                              (size_t)count, (size_t)block, numbers};
        const struct loops *loops = active;
        struct counts counts;
        Py_BEGIN_ALLOW_THREADS
        counts = bits == 4 ? pack4(&job, loops) : pack8(&job, loops);
        Py_END_ALLOW_THREADS
        result = build_counts(counts);
    }
    PyBuffer_Release(&packed);
    PyBuffer_Release(&absmax);
    PyBuffer_Release(&data);
    PyBuffer_Release(&table);
    return result;
}

static int is_small_float(int code)
{
    if (code >= CODE_FP32 && code <= CODE_E5M2)
        return 1;
    PyErr_Format(PyExc_ValueError, "nothing is unpacked into code %d", code);
    return 0;
}

static PyObject *unpack_into(PyObject *arguments, int bits)
{
    Py_buffer out, packed, absmax, table;
    Py_ssize_t count, block;
    int code;
    float numbers[256];
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(arguments, "w*iy*y*ny*n:unpack", &out, &code, &packed, &absmax, &count,
                          &table, &block))
        return NULL;
    if (is_count(count) && is_small_float(code) && fits(&out, (enum code)code, count) &&
        has_shape(&packed, &absmax, count, block, bits) &&
        take_table(numbers, &table, (size_t)1 << bits)) {
        struct unpacking job = {out.buf, (enum code)code, packed.buf, absmax.buf,
                                (size_t)count, (size_t)block, numbers, bits};
        const struct loops *loops = active;
        struct counts counts;
        Py_BEGIN_ALLOW_THREADS
        counts = unpack(&job, loops);
        Py_END_ALLOW_THREADS
        result = build_counts(counts);
    }
    PyBuffer_Release(&out);
    PyBuffer_Release(&packed);
    PyBuffer_Release(&absmax);
    PyBuffer_Release(&table);
    return result;
}

static PyObject *kernel_pack4(PyObject *module, PyObject *arguments)
{
    (void)module;
    return pack(arguments, 4);
}

static PyObject *kernel_pack8(PyObject *module, PyObject *arguments)
{
    (void)module;
    return pack(arguments, 8);
}

static PyObject *kernel_unpack4(PyObject *module, PyObject *arguments)
{
    (void)module;
    return unpack_into(arguments, 4);
}

static PyObject *kernel_unpack8(PyObject *module, PyObject *arguments)
{
    (void)module;
    return unpack_into(arguments, 8);
}

/* ---- the module ----------------------------------------------------------------------------- */

static PyObject *kernel_paths(PyObject *module, PyObject *unused)
{
    PyObject *names = PyList_New(0);
    const struct loops *loops;
    (void)module, (void)unused;
    for (size_t i = 0; names && (loops = usable_loops(i)); i++) {
        PyObject *name = PyUnicode_FromString(loops->name);
        if (!name || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *kernel_use_path(PyObject *module, PyObject *arguments)
{
    const char *wanted;
    const struct loops *loops;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "s:use_path", &wanted))
        return NULL;
    for (size_t i = 0; (loops = usable_loops(i)); i++)
        if (strcmp(loops->name, wanted) == 0) {
            active = loops;
            Py_RETURN_NONE;
        }
    return PyErr_Format(PyExc_ValueError, "this machine has no path %s", wanted);
}

static PyMethodDef METHODS[] = {
    {"weighted_sum", kernel_weighted_sum, METH_VARARGS, NULL},
    {"max_abs", kernel_max_abs, METH_VARARGS, NULL},
    {"compare", kernel_compare, METH_VARARGS, NULL},
    {"pack4", kernel_pack4, METH_VARARGS, NULL},
    {"pack8", kernel_pack8, METH_VARARGS, NULL},
    {"unpack4", kernel_unpack4, METH_VARARGS, NULL},
    {"unpack8", kernel_unpack8, METH_VARARGS, NULL},
    {"paths", kernel_paths, METH_NOARGS, NULL},
    {"use_path", kernel_use_path, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef DEFINITION = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_methods = METHODS};

PyMODINIT_FUNC PyInit__kernel(void)
{
    active = usable_loops(0);
    return PyModuleDef_Init(&DEFINITION);
}
