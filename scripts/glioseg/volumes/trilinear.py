"""Linear interpolation between the voxels of a volume, in whatever arrays hold it (NumPy or TensorFlow)."""

from collections.abc import Callable, Sequence


def interpolate(read: Callable, index, steps: Sequence[tuple]):
    """Values a fraction of one voxel on from a voxel along each axis.

    read: flat positions of voxels -> their values; index: flat positions of the lowest corners; steps: per axis the
    distance to the next voxel in flat positions, and the fraction of it (broadcast against the values).
    """
    if not steps:
        return read(index)
    (stride, fraction), *others = steps
    near, far = interpolate(read, index, others), interpolate(read, index + stride, others)
    return near + fraction * (far - near)
