"""Scans of a phantom drawn from its tissue maps: the contrast, the texture and the scanner are other ones each time.

Networks that were trained with random contrasts segment scans of unknown scanners (SynthSeg, Billot et al. 2023,
doi:10.1016/j.media.2023.102789). There, contrasts are uniform. Here, the modalities are known, so that each contrast is
drawn around that of its modality.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glioseg.choices import choose
from glioseg.synthesize.smooth_fields import smooth_noise

# Channels of tissue maps. The first six are fractions that sum to 1 in the brain; the others lie on top of them:
# vessels and membranes that take up contrast agent, aged white matter, and the rim of the brain (dura, fat).
TISSUES = ("csf", "gm", "wm", "necrosis", "edema", "enhancing", "vessels", "aged", "rim")
_FRACTIONS, _TUMOR = slice(0, 6), slice(3, 6)
# Largest strength of the texture in necrosis, edema and enhancing tumor.
_COARSE, _FINE = np.array([[[0.25], [0.08], [0.12]], [[0.15], [0.05], [0.12]]])
_GLOW = {"flair": (0.0, 0.3), "t1": (0.0, 0.2), "t1ce": (0.2, 1.4), "t2": (-0.3, 0.1)}
_AGED = {"flair": (0.1, 0.6), "t1": (-0.25, 0.0), "t1ce": (-0.25, 0.0), "t2": (0.1, 0.5)}


@dataclass(frozen=True)
class Contrast:
    """One draw for a patch; arrays have an entry per modality.

    signals: of each tissue (len(TISSUES), C); coarse and fine: strength of the texture in each tissue (3, C): necrosis,
    edema, enhancing; everywhere: of the texture in all tissues; bias, noise and blur: strength of each; thick: factor
    of the slice thickness; axis: that of the slices; wider: factor by which the standard deviation of the whole scan is
    that of its tissues, since scans hold more than these: remains of skull and eyes, bias, artifacts; shift: of their
    mean, in standard deviations.
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


def draw_contrast(random: np.random.Generator, modalities: Sequence[str], enhancing: bool) -> Contrast:
    """Draw a contrast for a patient whose tumor enhances or does not.

    Raises ValueError for a modality that phantoms do not have.
    """
    drawn = {"flair": _flair, "t1": _t1, "t1ce": _t1ce, "t2": _t2}
    # The same for all modalities: how visible the edema is, how fluid the necrosis, and how much it has bled.
    plain, fluid = random.uniform(0.1, 1), random.uniform(0, 1) ** (1.5 if enhancing else 2.5)
    blood = random.uniform(0, 1) * (random.random() < 0.25)
    # How much the vessels take up contrast agent, and how much the white matter has aged.
    vivid, old = random.uniform(0, 1), random.uniform(0, 1)
    signals = []
    # All modalities are drawn, so that a study with two of them sees the same patients.
    for name in drawn:
        values = drawn[name](random, plain, fluid)
        if name in ("t1", "t1ce"):
            values["necrosis"] += blood * random.uniform(0, 1) * (1.2 * values["wm"] - values["necrosis"])
        values |= {"vessels": vivid * random.uniform(*_GLOW[name]), "aged": old * random.uniform(*_AGED[name])}
        values["rim"] = random.choice([-0.3, 0, 0.3, 1]) * random.uniform(0, 1)
        scale = values["wm"]
        signals.append([values[tissue] / scale for tissue in TISSUES])
    chosen = [list(drawn).index(choose("modality", name, drawn) and name) for name in modalities]
    count = len(drawn)
    thick = np.where(random.random(count) < 0.4, random.uniform(2, 6, count), 1)
    every = {
        "signals": np.array(signals, np.float32).T,
        "coarse": _COARSE * random.uniform(-1, 1, (3, count)),
        "fine": _FINE * random.uniform(-1, 1, (3, count)),
        "everywhere": random.uniform(0, 0.08, count),
        "bias": random.uniform(0, 0.2, count),
        "noise": random.uniform(0, 0.1, count) * random.uniform(0, 1, count),
        "blur": random.uniform(0.1, 1.0, count),
        "thick": thick,
        # Most scans have axial slices.
        "axis": random.choice(3, count, p=[0.15, 0.15, 0.7]),
        "wider": random.uniform(1, 1.7, count),
        "shift": random.uniform(-0.2, 0.2, count),
    }
    return Contrast(**{name: values[..., chosen] for name, values in every.items()})


def paint(random: np.random.Generator, maps: np.ndarray, sample: np.ndarray, drawn: Contrast) -> np.ndarray:
    """Image (X, Y, Z, C) float32 of tissue maps (X, Y, Z, len(TISSUES), fractions 0 to 1), 0 outside of the brain.

    sample: maps (N, len(TISSUES)) of voxels from the whole brain. The image is normalized as if it were a part of the
    whole brain, whose mean is then 0 and its standard deviation 1, as `preprocess: normalization: zscore` does.
    """
    shape, count = maps.shape[:3], drawn.signals.shape[1]
    # The signal of each modality, its textures and the share of brain are columns of one matrix product.
    weights = np.zeros((len(TISSUES), 3 * count + 1), np.float32)
    weights[:, :count] = drawn.signals
    weights[_TUMOR, count : 2 * count], weights[_TUMOR, 2 * count : -1] = drawn.coarse, drawn.fine
    weights[_FRACTIONS, -1] = 1
    layers = (weights.T @ maps.reshape(-1, len(TISSUES)).T).reshape(-1, *shape)
    brain = layers[-1] > 0.5
    coarse, fine = (smooth_noise(random, shape, step) for step in (11, 3.5))
    whole = sample @ drawn.signals
    deviation = drawn.wider * np.sqrt(whole.var(0) + drawn.noise**2 + 0.05**2)
    mean = whole.mean(0) + drawn.shift * deviation
    # The mean of the bias in a patch differs from that of the brain; the rest of it varies within the patch.
    fields = [smooth_noise(random, shape, 48) for _ in range(2)]
    result = np.empty((*shape, count), np.float32)
    for channel in range(count):
        volume = layers[channel] + coarse * layers[count + channel]
        volume += fine * layers[2 * count + channel]
        share = (drawn.bias[channel] * random.uniform(-1, 1, 2)).astype(np.float32)
        field = np.float32(drawn.everywhere[channel]) * (fine if channel % 2 else coarse) + 1
        field += share[0] * fields[0] + share[1] * fields[1]
        volume *= field
        volume += random.standard_normal(shape, np.float32) * np.float32(drawn.noise[channel])
        # Brains are cut out of scans that are blurred already, so that their borders are not darker.
        volume = _soften(np.where(brain, volume, np.float32(mean[channel])), drawn, channel)
        volume -= np.float32(mean[channel])
        volume *= brain / np.float32(deviation[channel])
        result[..., channel] = volume
    return result


def _soften(volume: np.ndarray, drawn: Contrast, channel: int) -> np.ndarray:
    """Blur a volume, and replace it by thick slices that are interpolated linearly, as drawn."""
    thick, axis = drawn.thick[channel], int(drawn.axis[channel])
    widths = np.full(3, drawn.blur[channel])
    # The Gaussian of the same variance as a slice of this thickness.
    widths[axis] = max(widths[axis], thick / 3.46) if thick > 1 else widths[axis]
    volume = ndimage.gaussian_filter(volume, widths, truncate=2.5)
    length = volume.shape[axis]
    slices = max(round(length / thick), 2)
    if slices >= length:
        return volume
    seen = volume.take(np.linspace(0, length - 1, slices).round().astype(int), axis)
    place = np.linspace(0, slices - 1, length)
    low = np.minimum(place.astype(int), slices - 2)
    weight = (place - low).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(3)])
    return seen.take(low, axis) * (1 - weight) + seen.take(low + 1, axis) * weight


def _flair(random: np.random.Generator, plain: float, fluid: float) -> dict[str, float]:
    wm = 0.64
    gm, csf = wm * random.uniform(0.98, 1.4), wm * random.uniform(0.05, 0.5)
    edema = gm * (1.08 + 0.7 * plain * random.uniform(0.6, 1))
    solid = edema * random.uniform(0.7, 1.25)
    return {"wm": wm, "gm": gm, "csf": csf, "edema": edema, "enhancing": edema * random.uniform(0.7, 1.25)} | {
        "necrosis": solid + (csf * random.uniform(1, 2) - solid) * fluid
    }


def _t1(random: np.random.Generator, plain: float, fluid: float) -> dict[str, float]:
    wm = 1.0
    gm, csf = random.uniform(0.65, 0.98), random.uniform(0.2, 0.55)
    # Edema lies in white matter, and keeps some of its signal.
    edema = (gm + (wm - gm) * random.uniform(0, 0.8)) * (1 - 0.35 * plain * random.uniform(0, 1))
    solid = edema * random.uniform(0.65, 1.1)
    return {"wm": wm, "gm": gm, "csf": csf, "edema": edema, "enhancing": edema * random.uniform(0.75, 1.2)} | {
        "necrosis": solid + (csf * random.uniform(0.9, 1.4) - solid) * fluid
    }


def _t1ce(random: np.random.Generator, plain: float, fluid: float) -> dict[str, float]:
    healthy = _t1(random, plain, fluid)
    brightest = max(healthy["wm"], healthy["gm"])
    return healthy | {"enhancing": brightest * (1.12 + random.uniform(0, 0.95) ** 1.5)}


def _t2(random: np.random.Generator, plain: float, fluid: float) -> dict[str, float]:
    wm = 0.62
    gm, csf = wm * random.uniform(1.1, 1.6), wm * random.uniform(1.8, 4)
    edema = gm * (1.12 + 0.8 * plain * random.uniform(0.5, 1))
    solid = edema * random.uniform(0.85, 1.3)
    return {"wm": wm, "gm": gm, "csf": csf, "edema": edema, "enhancing": edema * random.uniform(0.8, 1.3)} | {
        "necrosis": solid + (max(csf * random.uniform(0.8, 1), solid) - solid) * fluid
    }
