"""Facts of scans as preprocessing writes them, and the rows of their cohort."""

from glioseg.split.cohort import cohort_rows


def scan(name, **facts):
    base = {
        "subject": name,
        "verdict": "included",
        "reason": "",
        "findings": [],
        "has_mask": True,
        "modalities": ["t1"],
    }
    tumor = {"tumor_ml": 1.0, "enhancing_ml": 0.5, "tumor_voxels": 10, "tumor_voxels_lost": 1}
    return base | tumor | {"hashes": {"t1": f"of {name}"}} | facts


def broken(name):
    sentence = "t1 is empty"
    finding = {"check": "constant", "verdict": "excluded", "sentence": sentence}
    return {
        "subject": name,
        "verdict": "excluded",
        "reason": sentence,
        "findings": [finding],
        "has_mask": True,
        "modalities": ["t1"],
    }


def unmasked(name, **facts):
    return {key: value for key, value in scan(name, has_mask=False, **facts).items() if "tumor" not in key}


def rows_of(scans, folds, exclude=(), seed=3, test_percent=25, seen=None):
    table = [
        {
            "subject": each["subject"],
            "patient": each.get("patient", each["subject"]),
            "labels": "brats2020",
            "t1": "t1.nii",
            "grade": "HGG",
        }
        for each in scans
    ]
    found = {each["subject"]: each for each in scans if each["subject"] not in exclude}
    return cohort_rows(table, found, dict.fromkeys(exclude, "exclude"), folds, test_percent, seed, seen=seen)
