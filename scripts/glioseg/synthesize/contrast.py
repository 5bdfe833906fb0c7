"""Scans of a phantom drawn from its tissue maps: the contrast, the texture and the scanner are other ones each time.

Networks that were trained with random contrasts segment scans of unknown scanners (SynthSeg, Billot et al. 2023,
doi:10.1016/j.media.2023.102789). There, contrasts are uniform. Here, the modalities are known, so that each contrast is
drawn around that of its modality.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glioseg.choices import choose
from glioseg.synthesize.signals import SIGNALS, draw_remains
from glioseg.synthesize.slices import leave_ends, soften
from glioseg.synthesize.smooth_fields import smooth_noise

# Channels of tissue maps. The first six are fractions that sum to 1 in the brain; the others lie on top of them:
# vessels and membranes that take up contrast agent, aged white matter, and the rim of the brain (dura, fat).
TISSUES = ("csf", "gm", "wm", "necrosis", "edema", "enhancing", "vessels", "aged", "rim")
_FRACTIONS, _TUMOR = slice(0, 6), slice(3, 6)
# Tissues of which a part has another signal: stripping leaves several tissues, and tumors hold cysts and solid parts.
_MIXED = ("rim", "necrosis")
# Root mean square of the texture in necrosis, edema and enhancing tumor (rows) on FLAIR, T1, T1ce and T2, in standard
# deviations of the scan. Textures vary within centimeters (coarse) and millimeters (fine). They make the tumors
# of phantoms as mixed as those of thirteen patients (benchmarks/textures.py).
_COARSE = np.array([[0.55, 0.5, 0.3, 0.5], [0.35, 0.35, 0.35, 0.28], [0.5, 0.4, 0.35, 0.45]])
_FINE = np.array([[0.4, 0.32, 0.28, 0.32], [0.36, 0.2, 0.2, 0.34], [0.42, 0.32, 0.75, 0.48]])
# What textures have in common (rows): where FLAIR and T2 are bright, T1 and T1ce are dark; and T1 and T1ce are alike.
_COMMON = np.array([[0.8, -0.3, -0.3, 0.8], [0.0, 0.65, 0.65, 0.0]])
_OWN = np.sqrt(1 - (_COMMON**2).sum(0))
_GLOW = {"flair": (0.0, 0.3), "t1": (0.0, 0.2), "t1ce": (0.3, 2.0), "t2": (-0.3, 0.1)}
_AGED = {"flair": (0.1, 0.9), "t1": (-0.3, 0.0), "t1ce": (-0.3, 0.0), "t2": (0.1, 0.7)}


@dataclass(frozen=True)
class Contrast:
    """One draw for a patch; arrays have an entry per modality.

    signals: of each tissue (len(TISSUES), C); coarse and fine: strength of the texture in necrosis, edema and enhancing
    tumor (3, C), in standard deviations of the scan; everywhere: of the coarse and the fine texture in all tissues
    (4, C), each as a sum of two random fields, so that modalities share a part of it; bias, noise and blur: strength of
    each; thick: factor of the slice thickness; axis: that of the slices; wider: factor by which the standard deviation
    of the whole scan is that of its tissues, since scans hold more than these: remains of skull and eyes, bias,
    artifacts; shift: of their mean, in standard deviations; ends: lowest and highest planes of the brain that a
    modality does not show (2, C); parts: by how much the signal of each of _MIXED differs in a part of it (2, C).
    """

    signals: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray
    everywhere: np.ndarray
    bias: np.ndarray
    noise: np.ndarray
    blur: np.ndarray
    thick: np.ndarray
    axis: np.ndarray
    wider: np.ndarray
    shift: np.ndarray
    ends: np.ndarray
    parts: np.ndarray


def draw_contrast(random: np.random.Generator, modalities: Sequence[str], enhancing: bool) -> Contrast:
    """Draw a contrast for a patient whose tumor enhances or does not.

    Raises ValueError for a modality that phantoms do not have.
    """
    # The same for all modalities: how visible the edema is, how fluid the necrosis, and how much it has bled.
    plain, fluid = random.uniform(0.1, 1), random.uniform(0, 1) ** (1.5 if enhancing else 2.5)
    blood = random.uniform(0, 1) * (random.random() < 0.25)
    # How much the vessels take up contrast agent, and how much the white matter has aged.
    vivid, old = random.uniform(0, 1), random.uniform(0, 1)
    # A part of the necrosis of every second patient is a cyst.
    fluids, cystic = np.array([fluid, random.uniform(0.7, 1)]), random.random() < 0.5
    rim, other_rim = draw_remains(random), draw_remains(random)
    signals, cysts = [], []
    # All modalities are drawn, so that a study with two of them sees the same patients.
    for channel, name in enumerate(SIGNALS):
        values = SIGNALS[name](random, plain, fluids)
        if name in ("t1", "t1ce"):
            values["necrosis"] += blood * random.uniform(0, 1) * (1.2 * values["wm"] - values["necrosis"])
        values |= {"vessels": vivid * random.uniform(*_GLOW[name]), "aged": old * random.uniform(*_AGED[name])}
        values["necrosis"], cyst = values["necrosis"]
        signals.append([values[tissue] / values["wm"] for tissue in TISSUES[:-1]] + [rim[channel]])
        cysts.append(cyst / values["wm"] - signals[-1][TISSUES.index("necrosis")])
    chosen = [list(SIGNALS).index(choose("modality", name, SIGNALS) and name) for name in modalities]
    count = len(SIGNALS)
    # How mixed the whole tumor is.
    mixed = random.uniform(0.4, 1.4)
    thick = np.where(random.random(count) < 0.4, random.uniform(2, 6, count), 1)
    every = {
        "signals": np.array(signals, np.float32).T,
        "coarse": _COARSE * _strengths(random) * mixed,
        "fine": _FINE * _strengths(random) * mixed,
        "everywhere": _shared(random, random.uniform(0, [[0.2], [0.35]], (2, count))),
        "bias": random.uniform(0, 0.2, count),
        "noise": random.uniform(0, 0.12, count) * random.uniform(0, 1, count),
        "blur": random.uniform(0.1, 1.0, count),
        "thick": thick,
        # Most scans have axial slices.
        "axis": random.choice(3, count, p=[0.15, 0.15, 0.7]),
        "wider": 1 + random.uniform(0, 0.5, count) ** 2,
        "shift": random.uniform(-0.2, 0.2, count),
        "ends": np.where(random.random((2, count)) < 0.15, random.uniform(1, 9, (2, count)).round(), 0),
        "parts": np.array([other_rim - rim, np.array(cysts) * cystic]),
    }
    return Contrast(**{name: values[..., chosen] for name, values in every.items()})


def paint(random: np.random.Generator, maps: np.ndarray, sample: np.ndarray, drawn: Contrast) -> np.ndarray:
    """Image (X, Y, Z, C) float32 of tissue maps (X, Y, Z, len(TISSUES), fractions 0 to 1), 0 outside of the brain.

    sample: maps (N, len(TISSUES)) of voxels from the whole brain. The image is normalized as if it were a part of the
    whole brain, whose mean is then 0 and its standard deviation 1, as `preprocess: normalization: zscore` does.
    """
    shape, count = maps.shape[:3], drawn.signals.shape[1]
    whole = sample @ drawn.signals
    plain = np.sqrt(whole.var(0) + drawn.noise**2 + 0.05**2)
    deviation = drawn.wider * plain * np.sqrt(1 + (drawn.everywhere**2).sum(0))
    mean = whole.mean(0) + drawn.shift * deviation
    # The signal of each modality, its textures and the share of brain are columns of one matrix product.
    weights = np.zeros((len(TISSUES), 3 * count + 1), np.float32)
    weights[:, :count] = drawn.signals
    weights[_TUMOR, count : 2 * count] = drawn.coarse * deviation
    weights[_TUMOR, 2 * count : -1] = drawn.fine * deviation
    weights[_FRACTIONS, -1] = 1
    layers = (weights.T @ maps.reshape(-1, len(TISSUES)).T).reshape(-1, *shape)
    brain = layers[-1] > 0.5
    planes = np.flatnonzero(brain.any((0, 1)))
    coarse, fine, other_coarse, other_fine = (smooth_noise(random, shape, step) for step in (11, 3.5, 11, 3.5))
    textures = (coarse, other_coarse, fine, other_fine)
    everywhere = (drawn.everywhere * plain).astype(np.float32)
    # The mean of the bias in a patch differs from that of the brain; the rest of it varies within the patch.
    fields = [smooth_noise(random, shape, 48) for _ in range(2)]
    there = smooth_noise(random, shape, 14) > 0
    parts = [maps[..., TISSUES.index(name)] * there for name in _MIXED]
    result = np.empty((*shape, count), np.float32)
    for channel in range(count):
        volume = layers[channel] + coarse * layers[count + channel]
        volume += fine * layers[2 * count + channel]
        volume += sum(np.float32(signal) * part for signal, part in zip(drawn.parts[:, channel], parts, strict=True))
        share = (drawn.bias[channel] * random.uniform(-1, 1, 2)).astype(np.float32)
        volume *= 1 + share[0] * fields[0] + share[1] * fields[1]
        for strength, texture in zip(everywhere[:, channel], textures, strict=True):
            volume += strength * texture
        volume += random.standard_normal(shape, np.float32) * np.float32(drawn.noise[channel])
        # Brains are cut out of scans that are blurred already, so that their borders are not darker.
        volume = np.where(brain, volume, np.float32(mean[channel]))
        leave_ends(volume, planes, drawn.ends[:, channel])
        volume = soften(volume, drawn.blur[channel], drawn.thick[channel], int(drawn.axis[channel]))
        volume -= np.float32(mean[channel])
        volume *= brain / np.float32(deviation[channel])
        result[..., channel] = volume
    return result


def _strengths(random: np.random.Generator) -> np.ndarray:
    """Signed strengths (3, 4) of a texture in each tissue and modality, with a root mean square of 1."""
    return random.standard_normal((3, 2)) @ _COMMON + random.standard_normal((3, 4)) * _OWN


def _shared(random: np.random.Generator, strengths: np.ndarray) -> np.ndarray:
    """Strengths (2 N, C) of two random fields for each texture (N, C), so that modalities share any part of it."""
    angles = random.uniform(0, 6.28, strengths.shape)
    fields = np.stack([strengths * np.cos(angles), strengths * np.sin(angles)], axis=1)
    return fields.reshape(-1, strengths.shape[1])
