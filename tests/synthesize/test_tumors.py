"""Tumors grow only where cells can diffuse."""

import numpy as np

from glioseg.synthesize.tumors import grow_tumor


def test_tumors_grow_where_cells_can_diffuse_and_faster_in_tissue_with_more_diffusion():
    diffusion = np.zeros((40, 40, 40), np.float32)
    diffusion[:20], diffusion[20:35] = 0.16, 0.02
    density = grow_tumor([(19, 20, 20)], diffusion, target_ml=20)
    assert not density[35:].any()
    assert density[:20].sum() > 1.5 * density[20:].sum()
    assert 20 <= (density > 0.3).sum() * 0.008 < 26
