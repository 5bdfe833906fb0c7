"""From a model and a preprocessed image to class probabilities of every voxel."""

import itertools

import keras
import numpy as np


def load_model(path) -> keras.Model:
    """A trained network, for prediction alone. Raises ValueError naming the file that can't be read."""
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as a Keras model ({str(error)[:200]}); delete it and run again to retrain"
        ) from error


def predict_probabilities(models: list[keras.Model], image: np.ndarray, overlap: float) -> np.ndarray:
    """Mean softmax of the models over a sliding window with Gaussian weights.

    image (X, Y, Z, C) -> float32 (X, Y, Z, classes). The window is the models' patch; neighbors share at least the
    fraction `overlap` of it. An image smaller than the window is padded with zeros.
    """
    patch = models[0].input_shape[1:4]
    shape = image.shape[:3]
    padding = [((max(p - n, 0)) // 2, max(p - n, 0) - max(p - n, 0) // 2) for p, n in zip(patch, shape, strict=True)]
    image = np.pad(np.asarray(image, np.float32), [*padding, (0, 0)])
    weight = gaussian_weight(patch)[..., None]
    total = np.zeros((*image.shape[:3], models[0].output_shape[-1]), np.float32)
    weights = np.zeros((*image.shape[:3], 1), np.float32)
    for corner in window_corners(image.shape[:3], patch, overlap):
        window = tuple(slice(start, start + size) for start, size in zip(corner, patch, strict=True))
        for model in models:
            total[window] += weight * np.asarray(model.predict_on_batch(image[window][None]))[0]
        weights[window] += weight * len(models)
    total /= weights
    return total[tuple(slice(low, low + n) for (low, _), n in zip(padding, shape, strict=True))]


def window_corners(shape, patch, overlap: float) -> list[tuple[int, int, int]]:
    """Lowest corners of evenly spread windows that cover an array at least as large as one window."""
    starts = []
    for length, size in zip(shape, patch, strict=True):
        count = int(np.ceil((length - size) / (size * (1 - overlap)))) + 1
        starts.append(np.linspace(0, length - size, count).round().astype(int).tolist())
    return list(itertools.product(*starts))


def gaussian_weight(patch) -> np.ndarray:
    """Weights of a window's voxels (float32, peak 1): a Gaussian of an eighth of its size, as in nnU-Net, never 0."""
    axes = [np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / (size / 8)) ** 2) for size in patch]
    weight = np.einsum("i,j,k->ijk", *axes)
    return np.maximum(weight / weight.max(), 1e-4).astype(np.float32)
