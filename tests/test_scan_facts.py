"""scan.json has exactly the keys of `ScanFacts`."""

import nibabel as nib
import numpy as np
from studies import MODALITIES, SETTINGS, write_subject

from glioseg.preprocess.scan import preprocess_scan
from glioseg.scan_facts import Finding, Intensities, OwnGrid, ScanFacts


def files_of(folder):
    images = {name: (folder / f"{folder.name}_{name}.nii.gz", 0) for name in MODALITIES}
    return images, (folder / f"{folder.name}_seg.nii.gz", 0)


def test_a_scan_with_a_mask_has_all_keys(tmp_path):
    scan, _ = preprocess_scan("a", *files_of(write_subject(tmp_path, 1)), SETTINGS)
    # The command adds the hashes of the arrays that it writes.
    assert set(scan) == (ScanFacts.__required_keys__ | ScanFacts.__optional_keys__) - {"arrays"}
    assert set(scan["own"]) == set(OwnGrid.__annotations__)
    assert all(set(facts) == set(Intensities.__annotations__) for facts in scan["intensities"].values())


def test_an_excluded_scan_has_the_required_keys_and_its_findings(tmp_path):
    images, mask = files_of(write_subject(tmp_path, 1))
    nib.save(nib.Nifti1Image(np.zeros((40, 44, 36), np.uint8), np.eye(4)), images["t2"][0])
    scan, arrays = preprocess_scan("a", images, mask, SETTINGS)
    assert scan["verdict"] == "excluded" and not arrays
    assert set(scan) == ScanFacts.__required_keys__
    assert all(set(finding) == set(Finding.__annotations__) for finding in scan["findings"])
