"""Transfer learning without a user interface: sources, freezing, training, heads, runs."""

import os

# How TensorFlow computes; it reads these once, when it is imported. What somebody has set holds.
# oneDNN's kernels take half the time for the frozen layers; on Intel processors with AVX-512 they are on by themselves.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Threads for one operation: two runs go at a time, and each gets half the cores. On two cores a second thread made a
# small tail's epoch take 0.97 s in place of 0.65 s, and a whole network's no less: waking it costs what it saves.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))

__version__ = "0.1.0"
