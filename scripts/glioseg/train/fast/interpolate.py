"""Values of a volume between its voxels, compiled as one."""

import numpy as np
import tensorflow as tf

from glioseg.train.fast.arrays import aligned
from glioseg.volumes.trilinear import interpolate


def read_values(values: np.ndarray, mask: np.ndarray, *places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (X, Y, Z, C), linearly interpolated to float32, and mask (X, Y, Z) uint8, of the nearest voxel, at places.

    places: what adds up to them, in voxels: (3, A), (3, B) and (3, C) along the three axes of what is returned, and
    perhaps (3, A, B, C). Zeros beyond the outermost voxels, as `scipy.ndimage.map_coordinates` of mode "constant".
    """
    count, channels = mask.size, values.shape[-1]
    # XLA compiles for each length anew: there are few that are powers of two.
    length = 1 << (count - 1).bit_length()
    voxels, tissues = aligned((length, channels), values.dtype), aligned((length,), np.uint8)
    voxels[:count].reshape(values.shape)[...] = values
    tissues[:count].reshape(mask.shape)[...] = mask
    return tuple(np.asarray(part) for part in read_between(voxels, tissues, np.array(mask.shape, np.int32), *places))


def read_between(voxels, tissues, shape, x, y, z, bend=None):
    """What `read_values` tells, of voxels (N, C) and tissues (N,) in the order of a volume of shape (3,).

    Computed on the CPU, whatever else there is.
    """
    with tf.device("CPU"):
        return _read_between(voxels, tissues, shape, x, y, z, bend)


@tf.function(jit_compile=True, autograph=False)
def _read_between(voxels, tissues, shape, x, y, z, bend):
    places = x[:, :, None, None] + y[:, None, :, None] + z[:, None, None, :]
    if bend is not None:
        places += bend
    last = (shape - 1)[:, None, None, None]
    inside = tf.reduce_all((places >= 0) & (places <= tf.cast(last, tf.float32)), 0)
    corner = tf.clip_by_value(tf.cast(places, tf.int32), 0, tf.maximum(last - 1, 0))
    weights = places - tf.cast(corner, tf.float32)
    # Along an axis of one voxel there is no next.
    strides = tf.where(shape > 1, tf.stack([shape[1] * shape[2], shape[2], 1]), 0)
    index = tf.tensordot(strides, corner, 1)

    def read(index):
        return tf.cast(tf.gather(voxels, index), tf.float32)

    steps = [(strides[axis], weights[axis][..., None]) for axis in (2, 1, 0)]
    nearest = index + tf.tensordot(strides, tf.cast(weights >= 0.5, tf.int32), 1)
    values = tf.where(inside[..., None], interpolate(read, index, steps), 0)
    return values, tf.where(inside, tf.gather(tissues, nearest), 0)
