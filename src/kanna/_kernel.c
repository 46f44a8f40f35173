/* kanna._kernel: the door from Python to the arithmetic in _kernel_sum.h.

   It checks every argument, so that no call can touch memory outside the buffers it was given, and
   releases the GIL while it computes. CPython's limited API: one binary serves 3.11 and later. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_kernel_sum.h"

static const struct loops *active; /* set when the module is first imported */

static int is_code(long code)
{
    if (code >= 0 && code < CODES)
        return 1;
    PyErr_Format(PyExc_ValueError, "no number format has the code %ld", code);
    return 0;
}

/* Whether a buffer has exactly `count` elements of `code`. */
static int fits(const Py_buffer *buffer, enum code code, Py_ssize_t count)
{
    if (count <= PY_SSIZE_T_MAX / 8 && buffer->len == count * (Py_ssize_t)WIDTH[code])
        return 1;
    PyErr_Format(PyExc_ValueError, "a buffer of %zd bytes does not hold %zd elements of %zd bytes",
                 buffer->len, count, (Py_ssize_t)WIDTH[code]);
    return 0;
}

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
    Py_BEGIN_ALLOW_THREADS
    counts = weighted_sum(sum, loops);
    Py_END_ALLOW_THREADS
    return Py_BuildValue("(nnnn)", (Py_ssize_t)counts.nan_out, (Py_ssize_t)counts.nan_made,
                         (Py_ssize_t)counts.overflowed, (Py_ssize_t)counts.inf_in);
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
    else if (count < 0)
        PyErr_SetString(PyExc_ValueError, "the count must not be negative");
    else if (is_code(code) && fits(&out, (enum code)code, count)) {
        struct sum sum = {out.buf, (enum code)code, NULL, 0, (size_t)count, wide};
        result = take_and_compute(&sum, buffers, codes, weights);
    }
    PyBuffer_Release(&out);
    return result;
}

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
