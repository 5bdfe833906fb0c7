"""Linear interpolation between the voxels of a volume, for NumPy and TensorFlow arrays."""

from collections.abc import Callable, Sequence


def interpolate(read: Callable, index, steps: Sequence[tuple]):
    """Values at positions between voxels, interpolated linearly along each axis.

    read: function from flat indices of voxels to their values; index: flat index of the lowest corner of each position;
    steps: for each axis, the flat index distance to the next voxel and the position's fraction of a voxel beyond the
    corner (broadcast against the values).
    """
    if not steps:
        return read(index)
    (stride, fraction), *others = steps
    near, far = interpolate(read, index, others), interpolate(read, index + stride, others)
    return near + fraction * (far - near)
