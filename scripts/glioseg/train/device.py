"""The hardware that TensorFlow uses, chosen before it loads. Import this module before TensorFlow and Keras."""

import os
import sys
import threading
from pathlib import Path

from glioseg.choices import choose

# TensorFlow enables oneDNN by itself only on CPUs with AVX-512; without oneDNN, 3-D convolutions train 6 to 9 times
# slower.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


def choose_precision(name: str) -> str:
    """Return the Keras policy for a precision; "auto" selects the fastest one on this hardware.

    The choice follows what the hardware declares, not a time measurement, so all runs on one machine agree: bfloat16 on
    GPUs of compute capability 8 or higher and on CPUs with bfloat16 units, float16 on GPUs of capability 7, otherwise
    float32. (On a CPU without AVX-512, bfloat16 convolutions are many times slower; no CPU has float16 pooling.)
    Raises ValueError for an unknown name.
    """
    if choose("precision", name, PRECISIONS) != "auto":
        return name
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capabilities = [
            tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus
        ]
        major = min(capability[0] for capability in capabilities)
        return "mixed_bfloat16" if major >= 8 else "mixed_float16" if major == 7 else "float32"
    return "mixed_bfloat16" if has_bfloat16() else "float32"


def has_bfloat16() -> bool:
    """Whether the CPU has hardware units for bfloat16."""
    return bool({"avx512_bf16", "amx_bf16"} & _cpu_flags())


def use_threads(threads: int) -> None:
    """Set TensorFlow's number of threads; call it before the first operation. GPU memory grows as needed."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def give_way() -> None:
    """Give this thread a priority a little below that of the process, so that it takes the time that others leave.

    The lowest priority would let other programs stop it altogether. This has an effect only on Linux, where each thread
    has its own priority.
    """
    if sys.platform == "linux":
        least = min(os.getpriority(os.PRIO_PROCESS, os.getpid()) + 5, 19)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), least)


def choose_strategy():
    """Return a tf.distribute.Strategy, which divides each batch among the job's GPUs if there are several."""
    import tensorflow as tf

    several = len(tf.config.list_logical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()


def _cpu_flags() -> set[str]:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return set()
    return next((set(line.split()) for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), set())
