"""What TensorFlow runs on, decided once before it loads. Import this module before TensorFlow and Keras."""

import os
import sys
import threading
from pathlib import Path

from glioseg.choices import choose

# TensorFlow switches oneDNN on by itself only on CPUs with AVX-512; without it 3-D convolutions train 6 to 9 times
# slower.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


def choose_precision(name: str) -> str:
    """Keras policy for a precision by name; "auto" takes what this hardware multiplies fastest.

    Decided by what the hardware declares, not by a stopwatch, so that each run on one machine decides alike: bfloat16
    on GPUs of compute capability 8 and on CPUs with bfloat16 units, float16 on GPUs of capability 7, else float32.
    (On a CPU without AVX-512 bfloat16 convolutions fall back to code many times slower; float16 lacks pooling on any
    CPU.)
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
    """Whether the CPU multiplies bfloat16 in units of its own."""
    return bool({"avx512_bf16", "amx_bf16"} & _cpu_flags())


def use_threads(threads: int) -> None:
    """Let TensorFlow compute on that many threads; call before its first operation. GPU memory grows as needed."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def give_way() -> None:
    """Let this thread run where others leave a core idle: on Linux, where a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def choose_strategy():
    """A tf.distribute.Strategy that shares each batch among all GPUs that the job was given, if there are several."""
    import tensorflow as tf

    several = len(tf.config.list_logical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()


def _cpu_flags() -> set[str]:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return set()
    return next((set(line.split()) for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), set())
