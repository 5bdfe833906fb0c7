"""The way of one subject into the common space: read, decide, align, move."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.choices import choose
from glioseg.labels import MASK
from glioseg.preprocess import checks
from glioseg.preprocess.plausibility import no_orientation
from glioseg.register.facts import CONVENTION, Series, doubts, odd_brain, series_facts
from glioseg.register.grids import Grid, common_grid, same_grid
from glioseg.register.intensities import NO_STRIPPING, as_stored, brain_of, image_on, stripped_background, without_bias
from glioseg.register.label_maps import label_map_on
from glioseg.register.rigid import Alignment, align
from glioseg.scan_facts import Forms
from glioseg.synthesize.series import distance_mm
from glioseg.volumes.forms import has_orientation
from glioseg.volumes.nifti import open_nifti, take_volume
from glioseg.volumes.orientation import spacing_mm, to_lps

# auto registers the subjects whose series lie on different grids.
MODES = ("never", "always", "auto")
# The reference: a modality, or the series with the smallest voxels.
FINEST = "finest"
VOXEL_MM = 1.0
LOST = (
    "has no orientation in its header (sform_code and qform_code are 0), but other series have one, so that it may be "
    "mirrored; convert the original DICOM again"
)


class Volume(NamedTuple):
    """A volume to write: voxels (3-D), affine (4x4, mm), and the forms of its header, if it is that of a series."""

    voxels: np.ndarray
    affine: np.ndarray
    forms: Forms | None = None


class Registered(NamedTuple):
    """The content of register.json, the volumes by name ("seg" is the mask), and the series as they came.

    heads: the images in the common space before the skull was cut off; brain: what was kept (bool), if it was.
    """

    facts: dict
    volumes: dict[str, Volume]
    series: dict[str, Series]
    heads: Mapping[str, np.ndarray] = {}
    brain: np.ndarray | None = None


def register_subject(subject: str, files: Mapping[str, tuple[Path, int]], settings: Mapping) -> Registered:
    """Bring all series of a subject into the space of the reference, with voxels of 1 mm.

    files: file, and index of the volume in it, by modality, and "seg" for the mask. settings: mode, reference, n4,
    strip (none; network; or a folder with a mask of the brain SUBJECT.nii.gz in the world of the reference). A series
    that cannot be used is left out, with a sentence in `refused`; what looks odd is in `warnings`. Raises ValueError
    for an unknown mode.
    """
    choose("mode", settings["mode"], MODES)
    series, refused = _read(files)
    lost = [] if settings["mode"] == "never" else _without_orientation(series)
    refused |= {name: f"{name} {LOST}" for name in lost}
    series = {name: one for name, one in series.items() if name not in lost}
    images = {name: one for name, one in series.items() if name != MASK}
    facts = {"subject": subject, "registered": False, "why": "no series can be read"}
    facts |= {"convention": CONVENTION, "reference": "", "grid": {}, "series": {}, "refused": refused, "warnings": []}
    if not images:
        return Registered(facts, {}, series)
    decision, facts["why"] = decide(settings["mode"], series, settings["strip"] != NO_STRIPPING)
    if not decision:
        facts["series"] = {name: series_facts(one, np.eye(4)) for name, one in series.items()}
        return Registered(facts, {name: Volume(*one) for name, one in series.items()}, series)
    facts |= {"registered": True, "reference": _reference(settings["reference"], images)}
    facts["warnings"] += filter(None, [no_orientation({name: one.forms for name, one in images.items()})])
    volumes, heads, brain = _move(facts, images, settings)
    if MASK in series and volumes:
        volumes[MASK] = _mask(series[MASK], images, facts)
    return Registered(facts, volumes, series, heads, brain)


def decide(mode: str, series: Mapping[str, Series], strip: bool) -> tuple[bool, str]:
    """Whether the series of a subject are registered, and why. strip: whether the skull is to be removed."""
    if mode != "auto":
        return mode == "always", f"register: mode is {mode}"
    affines = {name: one.affine for name, one in series.items()}
    turned = {name: to_lps(one.voxels, one.affine)[0].shape for name, one in series.items()}
    apart = checks.orientations(affines) or checks.shapes(turned) or checks.spacings(affines) or checks.affines(affines)
    if apart:
        return True, f"the series are on different grids: {apart.partition(';')[0]}"
    whole = [name for name, one in series.items() if name != MASK and stripped_background(*one[:2]) is None]
    if strip and whole:
        return True, f"the skull is to be removed, and these series show a whole head: {', '.join(whole)}"
    return False, "all series are on one grid"


def _read(files: Mapping[str, tuple[Path, int]]) -> tuple[dict[str, Series], dict[str, str]]:
    """The series that can be used by name, and for each of the others a sentence."""
    series, refused = {}, {}
    for name, (path, volume) in files.items():
        try:
            nifti = open_nifti(path)
            voxels, affine = take_volume(nifti, volume)
        except ValueError as error:
            refused[name] = str(error)
            continue
        sentence = checks.geometry(name, affine) or checks.finite(name, voxels) or checks.constant(name, voxels)
        if sentence and name != MASK:
            refused[name] = sentence
        else:
            series[name] = Series(voxels, affine, nifti.forms)
    return series, refused


def _without_orientation(series: Mapping[str, Series]) -> list[str]:
    """The series without an orientation among others with one: if it is on their grid, it has their orientation."""
    known = {name: one for name, one in series.items() if has_orientation(one.forms)}
    return [
        name
        for name, one in series.items()
        if known and name not in known and checks.affines({"": next(iter(known.values())).affine, name: one.affine})
    ]


def _reference(wanted: str, images: Mapping[str, Series]) -> str:
    """The modality to which all others are registered: the wanted one if it is there, or that of smallest voxels."""
    if wanted in images:
        return wanted
    return min(images, key=lambda name: max(spacing_mm(images[name].affine)))


def _move(facts: dict, images: Mapping[str, Series], settings: Mapping) -> tuple[dict, dict, np.ndarray | None]:
    """The images in the common space, the same with their skull, and the brain if it was cut out.

    Adds to the facts what was found, also of those that cannot be aligned.
    """
    reference = facts["reference"]
    fixed = images[reference]
    grid = common_grid(fixed.voxels.shape, fixed.affine, VOXEL_MM)
    facts["grid"] = {"shape": list(grid.shape), "affine": grid.affine.tolist()}
    aligned = {}
    still = _on(fixed, grid, np.eye(4))
    head = still > still.mean()
    for name, one in images.items():
        try:
            found = Alignment(np.eye(4), 0, 0) if name == reference else align((still, grid.affine), one[:2])
        except ValueError as error:
            facts["refused"][name] = f"{name} cannot be registered to {reference}: {error}"
            continue
        facts["series"][name] = series_facts(one, found.matrix)
        if name != reference:
            facts["series"][name] |= {
                "nats_before": found.nats_before,
                "nats_after": found.nats_after,
                "moved_mm": distance_mm(found.matrix, np.eye(4), head, grid.affine),
            }
            facts["warnings"] += doubts(name, reference, found)
        moved = still if name == reference else _on(one, grid, found.matrix)
        aligned[name] = without_bias(moved, grid.affine) if settings["n4"] else moved
    try:
        brain = _brain(facts["subject"], aligned, grid, settings["strip"])
    except ValueError as error:
        facts["refused"][reference] = str(error)
        return {}, aligned, None
    if brain is not None:
        facts["brain_ml"] = int(np.count_nonzero(brain)) * VOXEL_MM**3 / 1000
        facts["warnings"] += odd_brain(facts["brain_ml"])
    volumes = {}
    for name, moved in aligned.items():
        cut = moved if brain is None else np.where(brain, moved, moved.dtype.type(0))
        volumes[name] = Volume(as_stored(cut, images[name].voxels.dtype), grid.affine)
    return volumes, aligned, brain


def _brain(subject: str, aligned: Mapping[str, np.ndarray], grid: Grid, strip: str) -> np.ndarray | None:
    """The brain on the common grid (bool); None if nothing is to be cut out.

    The network looks at the images that show a whole head; if there is none, nothing is cut out.
    """
    if strip != "network":
        return brain_of(subject, strip, grid)
    heads = [moved for moved in aligned.values() if stripped_background(moved, grid.affine) is None]
    if not heads:
        return None
    # Imported here, since the runtime of networks takes a second to load.
    from glioseg.register.strip import brain_by_network

    return brain_by_network(heads)


def _on(one: Series, grid: Grid, to_series: np.ndarray) -> np.ndarray:
    """A series on the common grid (float32); its own voxels if it lies on this grid already."""
    turned, affine = to_lps(one.voxels, one.affine)
    if np.array_equal(to_series, np.eye(4)) and same_grid(Grid(turned.shape, affine), grid):
        return turned.astype(np.float32)
    return image_on(one.voxels, one.affine, grid, to_series)


def _mask(mask: Series, images: Mapping[str, Series], facts: dict) -> Volume:
    """The mask in the common space. It moves with the series on whose grid it was drawn, by default the reference."""
    own = Grid(mask.voxels.shape, mask.affine)
    order = sorted(facts["series"], key=lambda name: name != facts["reference"])
    drawn = [name for name in order if same_grid(Grid(images[name].voxels.shape, images[name].affine), own)]
    facts["drawn_on"] = (drawn or [facts["reference"]])[0]
    to_mask = np.array(facts["series"][facts["drawn_on"]]["matrix"])
    grid = Grid(tuple(facts["grid"]["shape"]), np.array(facts["grid"]["affine"]))
    facts["series"][MASK] = series_facts(mask, to_mask)
    return Volume(label_map_on(mask.voxels, mask.affine, grid, to_mask), grid.affine)
