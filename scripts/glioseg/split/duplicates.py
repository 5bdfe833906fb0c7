"""Duplicates: subjects that share the voxels of at least one volume."""

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


def group_duplicates(names: list[str], duplicates: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    """Subject -> the first name of its group of duplicates.

    Subjects are in one group if they are duplicates, directly or through other subjects. A subject without duplicates
    is the only one of its group.
    """
    leader: dict[str, str] = {}
    for name in names:
        queue = [name]
        while queue:
            current = queue.pop()
            if current not in leader:
                leader[current] = name
                queue += [other for other in duplicates.get(current, ()) if other in names]
    return leader
