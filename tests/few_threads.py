"""Imported before NumPy: matrices are multiplied in one thread, in the tests' own processes and in their children.

In two threads, fits of a hundred images take twice the processor, for each thread turns in a circle until the other
is done; and three processes of tests share two cores. The lab's own fits are in one thread, and TensorFlow's too.
"""

import os

for library in ("OPENBLAS", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
