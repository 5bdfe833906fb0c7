"""Smooth fields preserve constants, have the requested scale, and refuse control points of the wrong shape."""

import numpy as np
import pytest

from glioseg.synthesize.smooth_fields import coarse_shape, smooth_noise, upsample


def test_upsampling_preserves_a_constant():
    field = upsample(np.full(coarse_shape((9, 10, 11), 4), 3.0), 4, (9, 10, 11))
    assert field.shape == (9, 10, 11)
    np.testing.assert_allclose(field, 3, rtol=1e-5)


def test_upsampling_refuses_control_points_of_the_wrong_shape():
    with pytest.raises(ValueError, match="expected"):
        upsample(np.zeros((2, 2, 2)), 4, (9, 10, 11))


def test_smooth_noise_has_unit_variance_and_the_requested_scale():
    noise = smooth_noise(np.random.default_rng(0), (80, 80, 80), 4)
    assert abs(noise.std() - 1) < 0.15
    assert np.abs(np.diff(noise, axis=0)).mean() < 0.4
