"""Training patches of preprocessed subjects; seed and step alone determine them, so a resumed run sees the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from glioseg.files import read_array, read_json, read_sample
from glioseg.scan_facts import content_hash
from glioseg.synthesize.worlds import World, load_world
from glioseg.train.augment import Augmentation, augment, bent_patch, draw_augmentation
from glioseg.train.settings import TrainSettings


@dataclass(frozen=True)
class Subject:
    """A preprocessed subject: image (X, Y, Z, C), mask (X, Y, Z), and flat positions of the tumor voxels per class.

    world: tissue maps, from which its patches are drawn if it is a phantom with a random contrast.
    """

    name: str
    image: np.ndarray
    mask: np.ndarray
    tumor: tuple[np.ndarray, ...]
    world: World | None = None


def load_subject(folder: Path, random_contrast: Sequence[str] = ()) -> Subject:
    """Open a folder of `preprocess` by memory map. Raises ValueError naming the file that cannot be read.

    random_contrast: the modalities to draw from tissue maps, if patches get a random contrast.
    """
    image, mask = read_sample(folder)
    positions = [np.flatnonzero(mask == tissue) for tissue in np.unique(mask) if tissue]
    world = load_world(folder, random_contrast) if random_contrast else None
    return Subject(folder.name, image, mask, tuple(positions), world)


def shapes_of(preprocess: Path, names: Iterable[str]) -> list[tuple[int, int, int]]:
    """Voxels of the preprocessed images of these subjects; a subject whose image was deleted is left out."""
    images = [preprocess / name / "image.npy" for name in names]
    return [read_array(image, 4, mapped=True).shape[:3] for image in images if image.exists()]


def fingerprint(folder: Path) -> str:
    """Identify a preprocessed subject by its name and content, wherever its files are."""
    scan = read_json(folder / "scan.json")
    return f"{scan['subject']} {content_hash(scan)}"


def take_patch(subject: Subject, center, patch) -> tuple[np.ndarray, np.ndarray]:
    """Cut image (float32) and mask (uint8) around a voxel, moved inside the volume; zeros pad a smaller volume."""
    image = np.zeros((*patch, subject.image.shape[-1]), np.float32)
    mask = np.zeros(patch, np.uint8)
    source, target = [], []
    for start, size, length in zip(_starts(subject, center, patch), patch, subject.mask.shape, strict=True):
        count = min(size, length)
        shift = (size - count) // 2
        source.append(slice(start, start + count))
        target.append(slice(shift, shift + count))
    image[tuple(target)] = subject.image[tuple(source)]
    mask[tuple(target)] = subject.mask[tuple(source)]
    return image, mask


def _starts(subject: Subject, center, patch) -> list[int]:
    """Lowest corner of the patch around a voxel, moved inside the volume."""
    return [
        int(np.clip(middle - size // 2, 0, max(length - size, 0)))
        for middle, size, length in zip(center, patch, subject.mask.shape, strict=True)
    ]


def draw_center(random: np.random.Generator, subject: Subject, on_tumor: bool) -> tuple[int, int, int]:
    """Draw the center of a patch: a voxel of a randomly chosen tissue class of the subject, or any voxel."""
    if on_tumor and subject.tumor:
        positions = subject.tumor[random.integers(len(subject.tumor))]
        flat = positions[random.integers(positions.size)]
    else:
        flat = random.integers(subject.mask.size)
    return tuple(int(index) for index in np.unravel_index(flat, subject.mask.shape))


def batch_subjects(subjects, step: int, settings: TrainSettings) -> list[tuple[int, Subject]]:
    """Number (over all steps) and subject of each patch of one step; steps are counted over all epochs."""
    first, found = step * settings["batch"], []
    for item in range(first, first + settings["batch"]):
        round_, place = divmod(item, len(subjects))
        if item == first or place == 0:
            order = np.random.default_rng([settings["seed"], 0, round_]).permutation(len(subjects))
        found.append((item, subjects[order[place]]))
    return found


def training_batch(subjects, step: int, settings: TrainSettings) -> tuple[np.ndarray, np.ndarray]:
    """Images (B, X, Y, Z, C) float32 and masks (B, X, Y, Z) uint8 of one step, counted over all epochs.

    Subjects come in a new random order each round, so that none is seen twice before all are seen once. A share
    `foreground` of the patches is centered on tumor, spread evenly: 0.5 is every second patch.
    """
    images = np.empty((settings["batch"], *settings["patch"], subjects[0].image.shape[-1]), np.float32)
    masks = np.empty(images.shape[:-1], np.uint8)
    for place, (item, subject) in enumerate(batch_subjects(subjects, step, settings)):
        random = np.random.default_rng([settings["seed"], 1, item])
        on_tumor = int((item + 1) * settings["foreground"]) > int(item * settings["foreground"])
        center = draw_center(random, subject, on_tumor)
        drawn = draw_augmentation(random, subject.image.shape[-1], settings)
        image, mask = _drawn_patch(_source(subject), center, settings["patch"], drawn)
        if settings["implant"] and len(subjects) > 1:
            image, mask = _implanted(image, mask, subject, subjects, item, settings)
        if subject.world:
            image = subject.world.painted(np.random.Generator(np.random.SFC64([settings["seed"], 2, item])), image)
        augment(image, mask, drawn, (images[place], masks[place]))
    return images, masks


def _source(subject: Subject) -> Subject:
    """The subject whose image patches are cut from: for a random contrast, that of its tissue maps."""
    return replace(subject, image=subject.world.maps) if subject.world else subject


def _drawn_patch(subject: Subject, center, patch, drawn: Augmentation) -> tuple[np.ndarray, np.ndarray]:
    """The patch of `take_patch`, rotated, zoomed and bent as drawn; a view of the subject if nothing changes."""
    sizes = list(zip(_starts(subject, center, patch), patch, subject.mask.shape, strict=True))
    if drawn.matrix is None and drawn.bend is None:
        if any(size > length for _, size, length in sizes):
            return take_patch(subject, center, patch)
        box = tuple(slice(start, start + size) for start, size, _ in sizes)
        return subject.image[box], subject.mask[box]
    # The center of the same patch; a volume smaller than the patch is centered in it.
    middle = [start + (min(size, length) - 1) / 2 for start, size, length in sizes]
    return bent_patch(subject.image, subject.mask, middle, patch, drawn)


def _implanted(image, mask, subject: Subject, subjects, item: int, settings: TrainSettings):
    """The patch, in a share `implant` of all cases with the tumor of another subject in it, where there is brain.

    As in Yang et al. 2021 (arXiv:2107.09843), tumors are rotated, zoomed and flipped on their own. The
    border is soft, because a sharp one would show the network where the tumor is.
    """
    random = np.random.default_rng([settings["seed"], 3, item])
    donor = subjects[random.integers(len(subjects))]
    if random.random() >= settings["implant"] or donor is subject or not donor.tumor:
        return image, mask
    center = draw_center(random, donor, on_tumor=True)
    drawn = draw_augmentation(random, donor.image.shape[-1], settings)
    flipped = [axis for axis, flip in enumerate(drawn.flips) if flip]
    tumor, classes = (np.flip(part, flipped) for part in _drawn_patch(_source(donor), center, settings["patch"], drawn))
    # Only where all of a tumor's surroundings are brain, too: nothing grows outside of the head.
    brain = (image != 0).any(-1)
    classes = classes * brain
    weight = np.maximum(ndimage.gaussian_filter((classes > 0).astype(np.float32), 1), classes > 0)[..., None]
    weight *= brain[..., None] & (tumor != 0).any(-1, keepdims=True)
    return image + weight * (tumor - image.astype(np.float32)), np.where(classes > 0, classes, mask)


def validation_batch(subject: Subject, patch) -> tuple[np.ndarray, np.ndarray]:
    """The unchanged patch around the center of a subject's tumor, as a batch of one, for the validation curves."""
    tumor = np.concatenate(subject.tumor) if subject.tumor else np.arange(subject.mask.size)
    middle = [int(np.mean(index)) for index in np.unravel_index(tumor, subject.mask.shape)]
    image, mask = take_patch(subject, middle, patch)
    return image[None], mask[None]
