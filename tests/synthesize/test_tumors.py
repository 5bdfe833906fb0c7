"""A tumor grows where it can diffuse."""

import numpy as np

from glioseg.synthesize.tumors import grow


def test_growth_stays_where_it_can_diffuse_and_prefers_fast_tissue():
    diffusion = np.zeros((40, 40, 40), np.float32)
    diffusion[:20], diffusion[20:35] = 0.16, 0.02
    density = grow([(19, 20, 20)], diffusion, target_ml=20)
    assert not density[35:].any()
    assert density[:20].sum() > 1.5 * density[20:].sum()
    assert 20 <= (density > 0.3).sum() * 0.008 < 26
