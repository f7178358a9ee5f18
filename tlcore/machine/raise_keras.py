"""What the nursery imports when it starts: Keras, and that it is the nursery. Imported by others it does nothing."""

import os
import signal

from tlcore.machine import nursery, processes

if os.environ.pop(nursery.MARK, ""):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches it too; it ends with its parent
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow: its start tells of drivers nobody asked for
    nursery.pid = os.getpid()
    processes.import_keras()
    os.register_at_fork(before=processes.uncollected()(nursery.grow))
