"""Duplicates: subjects that share the voxels of at least one volume."""

from collections.abc import Iterable, Mapping

from glioseg.scan_facts import ScanFacts


def find_duplicates(scans: dict[str, ScanFacts]) -> dict[str, dict[str, list[str]]]:
    """Subject -> duplicate -> modalities with the same voxels, for each subject with duplicates.

    Each pair is listed under both subjects. scans: `scan.json` by subject, with the hashes of its voxels by modality.
    """
    owners: dict[str, list[tuple[str, str]]] = {}
    for name, scan in scans.items():
        for modality, digest in scan["hashes"].items():
            owners.setdefault(digest, []).append((name, modality))
    duplicates: dict[str, dict[str, list[str]]] = {}
    for shared in owners.values():
        for name, modality in shared:
            for other, _ in shared:
                if other != name:
                    duplicates.setdefault(name, {}).setdefault(other, []).append(modality)
    return duplicates


def group_duplicates(names: list[str], related: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Subject -> the first name of its group.

    related: subject -> its duplicates, or also the other visits of its patient. Subjects are in one group if they are
    related, directly or through other subjects. A subject that is related to no other is the only one of its group.
    """
    leader: dict[str, str] = {}
    known = set(names)
    for name in names:
        queue = [name]
        while queue:
            current = queue.pop()
            if current not in leader:
                leader[current] = name
                queue += [other for other in related.get(current, ()) if other in known]
    return leader
