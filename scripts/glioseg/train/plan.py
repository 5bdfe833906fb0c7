"""Choose levels, patch and batch by data and device where they are `auto`, and estimate the memory of a training.

The memory was measured on a CPU as the peak of two steps (docs/benchmarks.md): a process with Keras, TensorFlow and
XLA, 16 bytes per parameter (weight, gradient, two moments), and 4 to 14 bytes per number in the layers' outputs. On a
GPU it was not measured.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glioseg.train.schedule import stages
from glioseg.train.settings import TrainSettings

PARAMETER_BYTES, NUMBER_BYTES = 16, 15
# On a GPU in 16 bits: half of what float32 takes on a CPU, at most 12.
SHORT_NUMBER_BYTES = 6
# More on a CPU, where XLA compiles.
PROCESS_BYTES = {"cpu": 0.8e9, "gpu": 0.7e9}
# Share of the free memory to plan with: allocators round up, and other processes need memory, too.
SHARE = 0.85
# Sides of a patch (largest first) per device. On a CPU, time is the limit (measured in docs/benchmarks.md). On a GPU,
# as in nnU-Net (Isensee 2021, doi:10.1038/s41592-020-01008-z).
SIDES = {"cpu": (64, 48, 32), "gpu": (128, 96, 64, 32)}
# Two patches make training more stable than one. More are not planned, however large the memory: each patch has to be
# read and augmented, which takes the CPU as long per patch in a large batch as in a small one.
BATCH = 2
AUTO = ("auto",)


def plan(
    settings: TrainSettings, shapes: Sequence[tuple[int, int, int]], channels: int, device: str, free: int
) -> dict:
    """Return the settings with numbers for filters, patch and batch; values other than `auto` are kept.

    shapes: voxels of the preprocessed subjects, the same for all folds of a study; device: "cpu" or "gpu"; free:
    bytes of its memory. The patch is the largest of `SIDES` that fits with the batch and is no larger than the
    median subject. Raises ValueError, saying what to lower, if a step does not fit, whether planned or set.
    """
    # Imported here because networks loads TensorFlow.
    from glioseg.train.networks import widths

    given = settings["filters"]
    filters = widths(settings["network"], device) if given == AUTO else tuple(int(width) for width in given)
    tried = {"filters": filters, "batch": BATCH if settings["batch"] == "auto" else int(settings["batch"])}
    for patch in _patches(settings, shapes, len(filters), device):
        tried["patch"] = patch
        needed = step_bytes(settings | tried, channels, device)
        if needed <= SHARE * free:
            _insist_on_halves(settings | tried)
            return settings | tried
    raise ValueError(
        f"a step of {tried['batch']} patches of {'x'.join(map(str, tried['patch']))} voxels takes about "
        f"{needed / 1e9:.1f} GB, but the {device.upper()} has {free / 1e9:.1f} GB of free memory, of which a step may "
        f"take {SHARE:.0%}; lower train: batch, patch or filters, or request more memory"
    )


def _insist_on_halves(settings: TrainSettings) -> None:
    """Raise ValueError if there are small patches and the network's levels cannot halve them."""
    from glioseg.train.networks import patch_multiple

    levels = len(settings["filters"])
    multiple = 2 * patch_multiple(settings["network"], levels)
    if settings["small_patches"] and any(side % multiple for side in settings["patch"]):
        raise ValueError(
            f"small_patches: a patch of {'x'.join(map(str, settings['patch']))} voxels cannot be halved for "
            f"{settings['network']} with {levels} levels; let the sides of patch be multiples of {multiple}, or set "
            "small_patches to 0"
        )


def describe_plan(settings: TrainSettings) -> str:
    """Describe the network, the batch and the precision in words."""
    patches = " and then ".join(
        f"{stage['batch']} patches of {'x'.join(map(str, stage['patch']))} voxels" for stage in stages(settings)
    )
    return f"{settings['network']} of {'-'.join(map(str, settings['filters']))}, {patches}, {settings['precision']}"


def step_bytes(settings: TrainSettings, channels: int, device: str = "cpu") -> int:
    """Upper bound (bytes) of a training step's memory with its process.

    settings: of `build_network`, batch and, for a GPU, precision.
    """
    # Imported here because networks loads TensorFlow.
    from glioseg.labels import targets_of
    from glioseg.train.networks import build_network

    outputs = len(targets_of(settings["targets"], settings["classes"]))
    network = build_network(
        settings["network"],
        settings["patch"],
        channels,
        outputs,
        settings["filters"],
        settings["backbone"],
        settings["normalization"],
    )
    numbers = sum(math.prod(layer.output.shape[1:]) for layer in network.layers) * settings["batch"]
    short = device == "gpu" and settings["precision"] != "float32"
    each = SHORT_NUMBER_BYTES if short else NUMBER_BYTES
    return int(PROCESS_BYTES[device] + PARAMETER_BYTES * network.count_params() + each * numbers)


def _patches(settings: TrainSettings, shapes: Sequence[tuple[int, int, int]], levels: int, device: str) -> list[tuple]:
    if settings["patch"] != AUTO:
        return [tuple(int(side) for side in settings["patch"])]
    from glioseg.train.networks import patch_multiple

    multiple = patch_multiple(settings["network"], levels)
    median = np.median(shapes, axis=0)
    whole = [multiple * math.ceil(length / multiple) for length in median]
    found = [tuple(min(multiple * max(side // multiple, 1), length) for length in whole) for side in SIDES[device]]
    return list(dict.fromkeys(found))


def free_bytes() -> tuple[str, int]:
    """The device of training, "gpu" or "cpu", and the bytes of memory available to TensorFlow or to this process."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        from tensorflow.python.client import device_lib

        gpus = [device for device in device_lib.list_local_devices() if device.device_type == "GPU"]
        return "gpu", min(gpu.memory_limit for gpu in gpus)
    return "cpu", _free_ram()


def _free_ram() -> int:
    """Bytes of memory available to this process: the least of the machine's and of each of its control groups'."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    found = [1024 * int(lines["MemAvailable"].split()[0])]
    own = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/")
    group = Path("/sys/fs/cgroup", own.lstrip("/"))
    for folder in (group, *group.parents):
        limit, used, kinds = (folder / f"memory.{name}" for name in ("max", "current", "stat"))
        if limit.exists() and (most := limit.read_text().strip()).isdecimal():
            # The kernel frees the page cache of inactive files when memory is needed.
            counts = dict(line.split() for line in kinds.read_text().splitlines())
            found.append(int(most) - int(used.read_text()) + int(counts["inactive_file"]))
    return max(min(found), 0)
