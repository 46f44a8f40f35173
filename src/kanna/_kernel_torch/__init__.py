"""`_kernel.c` once more, to the bit, with torch: for where the extension could not be built.

`kanna.kernel` imports this package, and with it torch, only then. Its functions are called as those
of the extension.
"""

from kanna._kernel_torch.codebooks import pack4, pack8, unpack4, unpack8
from kanna._kernel_torch.measures import compare, max_abs
from kanna._kernel_torch.sums import weighted_sum

__all__ = ["compare", "max_abs", "pack4", "pack8", "unpack4", "unpack8", "weighted_sum"]
