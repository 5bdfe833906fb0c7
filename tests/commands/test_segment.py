"""Test that the command `segment` gives a single scan the same segmentation as a study."""

import json

import nibabel as nib
import numpy as np
from click.testing import CliRunner
from examples import TISSUES
from studies import MODALITIES, run_predict

import segment


def test_a_single_scan_is_segmented_as_in_a_study(study, tmp_path):
    folder, case = study
    model = ["--model", folder / "0" / "model.keras"]
    assert run_predict(folder, tmp_path, *model).returncode == 0

    def run(*words):
        usual = ["--smallest-enhancing-ml", 0, "--output", tmp_path / "alone.nii.gz", "--runtime", "openvino"]
        return CliRunner().invoke(segment.segment, [str(word) for word in (*words, *usual)])

    images = [word for name in MODALITIES for word in ("--image", name, case / f"{case.name}_{name}.nii.gz")]
    for words in (images, ["--subject", case]):
        result = run(*model, *words, "--maps", "entropy")
        assert result.exit_code == 0, result.output
        assert "ml of tumor, uncertainty" in result.output
        assert (tmp_path / "alone.nii.gz").read_bytes() == (tmp_path / "seg.nii.gz").read_bytes()
        assert nib.load(tmp_path / "alone_maps/entropy.nii.gz").shape == nib.load(tmp_path / "alone.nii.gz").shape
        (tmp_path / "alone.nii.gz").unlink()

    # A 4-D file, whose volumes are named as in a table.
    volumes = [np.asarray(nib.load(images[index]).dataobj) for index in (2, 5, 8, 11)]
    nib.save(nib.Nifti1Image(np.stack(volumes, -1), nib.load(images[2]).affine), tmp_path / "all.nii.gz")
    together = [("--image", name, tmp_path / f"all.nii.gz:{index}") for index, name in enumerate(MODALITIES)]
    assert run(*model, *(word for words in together for word in words)).exit_code == 0
    found, expected = (np.asarray(nib.load(tmp_path / name).dataobj) for name in ("alone.nii.gz", "seg.nii.gz"))
    assert (found == expected).all()

    def refused(*words):
        result = run(*words)
        assert result.exit_code == 1
        return result.output

    assert "give either --image MODALITY FILE for each modality, or --subject FOLDER" in refused(*model)
    assert "no file for t2; expected flair, t1, t1ce, t2" in refused(*model, *images[:-3])
    assert "flair, t1, t1ce, t2 are the same volume 0" in refused(
        *model, *(word for name in MODALITIES for word in ("--image", name, tmp_path / "all.nii.gz"))
    )
    assert "nowhere.nii does not exist" in refused(*model, *images, "--image", "t1c", tmp_path / "nowhere.nii:2")
    assert "t2 is named twice" in refused(*model, *images, *images[-3:])
    assert "takes flair, t1, t1ce, t2, not pet" in refused(*model, *images, "--image", "pet", images[2])
    assert "expected the folder of one subject, found" in refused(*model, "--subject", two(case, tmp_path))
    lonely = tmp_path / "model.keras"
    lonely.write_bytes((folder / "0" / "model.keras").read_bytes())
    assert "settings.json: expected the settings that train writes next to a model" in refused(
        "--model", lonely, *images
    )
    facts = {"settings": {"classes": list(TISSUES)}}
    lonely.with_name("settings.json").write_text(json.dumps(facts))
    assert "expected a study with modalities, labels, preprocess" in refused("--model", lonely, *images)
    facts["settings"]["classes"] = ["background", "edema"]
    lonely.with_name("settings.json").write_text(json.dumps(facts))
    assert "average only models trained with the same settings" in refused(*model, "--model", lonely, *images)


def two(case, folder):
    """Return a folder with two subjects, both copies of the case."""
    for name in ("one", "two"):
        (folder / "many" / name).mkdir(parents=True)
        for path in case.iterdir():
            (folder / "many" / name / path.name.replace(case.name, name)).write_bytes(path.read_bytes())
    return folder / "many"
