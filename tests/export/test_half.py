"""Weights in half precision are the rounded ones, in a file that is half as large and the same every time."""

import io
import zipfile

import h5py
import numpy as np
import pytest

from glioseg.export.half import halved


def keras(values):
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_dataset("layers/conv3d/vars/0", data=values)
        file.create_dataset("layers/seed/vars/0", data=np.array([1, 2], np.uint32))
        file["layers/conv3d"].attrs["name"] = "a"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", weights.getvalue())
    return written.getvalue()


def test_only_floating_point_weights_are_rounded():
    values = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)
    whole = keras(values)
    half = halved(whole)
    assert half == halved(whole)
    assert len(half) < 0.6 * len(whole)
    with zipfile.ZipFile(io.BytesIO(half)) as archive:
        assert archive.read("config.json") == b"{}"
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            found = file["layers/conv3d/vars/0"][()]
            assert found.dtype == np.float16
            np.testing.assert_array_equal(found, values.astype(np.float16))
            assert file["layers/seed/vars/0"].dtype == np.uint32
            assert file["layers/conv3d"].attrs["name"] == "a"


def test_a_weight_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="layers/conv3d/vars/0: 100000 is too large for half precision"):
        halved(keras(np.array([1e5], np.float32)))
