"""The same scan under two names: subjects that share a volume's voxels."""


def find_twins(scans: dict[str, dict]) -> dict[str, dict[str, list[str]]]:
    """Subject -> twin -> modalities whose voxels both share, for each subject that has twins; both sides are listed.

    scans: `scan.json` by subject, with the hashes of its volumes' voxels by modality.
    """
    owners: dict[str, list[tuple[str, str]]] = {}
    for name, scan in scans.items():
        for modality, digest in scan["hashes"].items():
            owners.setdefault(digest, []).append((name, modality))
    twins: dict[str, dict[str, list[str]]] = {}
    for shared in owners.values():
        for name, modality in shared:
            for other, _ in shared:
                if other != name:
                    twins.setdefault(name, {}).setdefault(other, []).append(modality)
    return twins


def group_twins(names: list[str], twins: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    """Subject -> the first of all that it is bound to by twins, and twins of twins; itself where it has none."""
    leader: dict[str, str] = {}
    for name in names:
        queue = [name]
        while queue:
            current = queue.pop()
            if current not in leader:
                leader[current] = name
                queue += [other for other in twins.get(current, ()) if other in names]
    return leader
