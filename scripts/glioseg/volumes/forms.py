"""The two forms, sform and qform, by which a NIfTI header places its voxels in space."""

from itertools import product

import nibabel as nib
import numpy as np

from glioseg.scan_facts import Forms

ROWS = ("srow_x", "srow_y", "srow_z")
QUATERNION = ("quatern_b", "quatern_c", "quatern_d")
OFFSET = ("qoffset_x", "qoffset_y", "qoffset_z")
MILLIMETERS = 2
# The lower three bits of xyzt_units are the unit of space; the others are that of time.
UNIT_OF_SPACE = 7


def forms_of(header: nib.Nifti1Header) -> Forms:
    """The fields of a NIfTI header that place its voxels; numbers that are not finite become 0."""
    return Forms(
        qform_code=int(header["qform_code"]),
        sform_code=int(header["sform_code"]),
        pixdim=_numbers(header["pixdim"][:4]),
        quaternion=_numbers([header[name] for name in QUATERNION]),
        offset=_numbers([header[name] for name in OFFSET]),
        rows=[_numbers(header[name]) for name in ROWS],
        # ITK scales by this unit. A header without a unit means millimeters.
        unit=int(header["xyzt_units"]) & UNIT_OF_SPACE or MILLIMETERS,
    )


def set_forms(header: nib.Nifti1Header, forms: Forms) -> None:
    """Give a NIfTI header the forms of another one, number by number."""
    header["qform_code"], header["sform_code"] = forms["qform_code"], forms["sform_code"]
    header["pixdim"][:4] = forms["pixdim"]
    for names, values in ((QUATERNION, forms["quaternion"]), (OFFSET, forms["offset"]), (ROWS, forms["rows"])):
        for name, value in zip(names, values, strict=True):
            header[name] = value
    header["xyzt_units"] = forms["unit"]


def has_orientation(forms: Forms) -> bool:
    """Whether a header says where its voxels are: it has a sform or a qform."""
    return bool(forms["qform_code"] or forms["sform_code"])


def apart(forms: Forms, shape: tuple[int, ...]) -> tuple[float, float]:
    """How far a header's two forms place a voxel apart at most, in voxels and in mm, for a volume of this shape.

    (0, 0) if the header has only one form or none; infinity if the qform is not a rotation. The sform must pass
    `checks.geometry`.
    """
    if not (forms["qform_code"] and forms["sform_code"]):
        return 0.0, 0.0
    header = nib.Nifti1Header()
    set_forms(header, forms)
    sform = header.get_sform()
    try:
        difference = header.get_qform() - sform
    except (ValueError, nib.spatialimages.HeaderDataError):  # the numbers of the qform are not a rotation
        return np.inf, np.inf
    # The distance is linear in the voxel's position, so it is largest at a corner.
    corners = np.array([(*corner, 1) for corner in product(*((0, length - 1) for length in shape))], float)
    moved = corners @ difference[:3].T
    voxels = np.abs(moved @ np.linalg.inv(sform[:3, :3]).T).max()
    return float(voxels), float(np.linalg.norm(moved, axis=1).max())


def _numbers(values) -> list[float]:
    return np.nan_to_num(np.asarray(values, float), nan=0, posinf=0, neginf=0).tolist()
