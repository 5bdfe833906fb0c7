"""The command `synthesize` writes the same patient every time."""

import os
import subprocess
import sys

import nibabel as nib
import numpy as np
from studies import ROOT

from glioseg.synthesize.phantoms import AFFINE

USUAL = ("--kinds", "usual", "--tissues", "false")
SCRIPT = ROOT / "scripts" / "synthesize.py"


def test_the_command_writes_the_same_patient_every_time(tmp_path, patient):
    images, mask = patient
    folder = tmp_path / "phantom_002"
    subprocess.run(
        [sys.executable, SCRIPT, "--subject", "phantom_002", "--seed", "42", "--output-dir", folder, *USUAL],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=True,
    )
    expected = images | {"seg": mask}
    assert {path.name for path in folder.iterdir()} == {f"phantom_002_{name}.nii.gz" for name in expected}
    for name, volume in expected.items():
        written = nib.load(folder / f"phantom_002_{name}.nii.gz")
        np.testing.assert_array_equal(written.affine, AFFINE)
        assert written.get_data_dtype() == volume.dtype
        assert written.header.get_intent()[0] == ("label" if name == "seg" else "none")
        np.testing.assert_array_equal(np.asanyarray(written.dataobj), volume)
