"""The same scan under two names: subjects that share a volume's voxels."""

from glioseg.scan_facts import ScanFacts


def find_duplicates(scans: dict[str, ScanFacts]) -> dict[str, dict[str, list[str]]]:
    """Subject -> duplicate -> modalities whose voxels both share, for each subject with duplicates.

    Both sides of a pair are listed.

    scans: `scan.json` by subject, with the hashes of its volumes' voxels by modality.
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
    """Subject -> the first name of its group: subjects linked by duplicates, directly or through others.

    A subject without duplicates is a group of its own.
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
