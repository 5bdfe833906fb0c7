"""The folds of a cohort for finished models: a subject that a model learned from is neither predicted nor scored."""

from collections.abc import Collection, Mapping

from glioseg.scan_facts import ScanFacts


def seen_subjects(scans: Mapping[str, ScanFacts], trained: Mapping[str, tuple[object, str]]) -> dict[str, str]:
    """Subject -> a sentence that says which model learned from its voxels; subjects that no model saw are left out.

    scans: `scan.json` by subject; trained: the result of `predict.model_facts.trained_voxels`. One shared modality is
    enough.
    """
    found = {}
    for name, scan in scans.items():
        known = next((trained[digest] for digest in scan["hashes"].values() if digest in trained), None)
        if known:
            found[name] = (
                f"the model {known[0]} learned from its voxels (training subject {known[1]}), so it is neither "
                "predicted nor scored"
            )
    return found


def folds_of_unseen(leader: Mapping[str, str], masked: Collection[str], seen: Collection[str]) -> dict[str, str]:
    """The folds of groups, by the first subject of each: "train" if a model saw any of them, "test" if any has a mask.

    leader: usable subject -> the first subject of its group, which holds the visits of a patient and their duplicates;
    masked: the usable subjects with a mask. Groups without a mask that no model saw are in no fold.
    Raises ValueError if no subject is usable.
    """
    if not leader:
        raise ValueError("split: no subject is usable, so there is nothing to segment; see the reasons")
    folds = {leader[name]: "test" for name in masked}
    return folds | {leader[name]: "train" for name in seen}
