"""The files of registered series, as the rule `register` writes them, also for a scan outside of a study."""

from collections.abc import Mapping
from pathlib import Path

from glioseg.files import whole, write_json
from glioseg.labels import MASK
from glioseg.predict.one_scan import OneScan
from glioseg.register.subject import Registered, register_subject
from glioseg.volumes.nifti import write_label_map, write_volume


def write_registered(folder: Path, found: Registered) -> None:
    """Write the volumes of a subject, register.json, and register.png if it was registered."""
    for name, volume in found.volumes.items():
        write = write_label_map if name == MASK else write_volume
        write(folder / f"{name}.nii.gz", *volume)
    if found.facts["registered"] and found.volumes:
        # Imported here, since matplotlib takes a second to load and most subjects of an auto run need no figure.
        from glioseg.register.figure import draw

        with whole(folder / "register.png") as partial:
            draw(found).savefig(partial, dpi=80)
    write_json(folder / "register.json", found.facts)


def register_scan(name: str, scan: OneScan, settings: Mapping, folder: Path) -> tuple[OneScan, dict | None]:
    """Register the series of a scan into a folder, as `register_subject` does with these settings.

    Return the scan of the registered files, and the content of register.json; the scan itself and None if it needs no
    registration. Raises ValueError if no series can be used.
    """
    found = register_subject(name, scan.files, settings)
    if not found.volumes:
        raise ValueError(f"{name} cannot be registered: {'; '.join(found.facts['refused'].values())}")
    if not found.facts["registered"]:
        return scan, None
    write_registered(folder, found)
    return scan._replace(files={name: (folder / f"{name}.nii.gz", 0) for name in found.volumes}), found.facts
