"""The findings of a scan's checks, and the verdict that each of them gives."""

# Each check and the verdict of a scan that fails it, in the order in which they run.
CHECKS = {
    "refused": "excluded",
    "missing": "excluded",
    "same_image": "excluded",
    "unreadable": "excluded",
    "geometry": "excluded",
    "shape": "excluded",
    "orientation": "excluded",
    "spacing": "excluded",
    "affine": "excluded",
    "nonfinite": "excluded",
    "constant": "excluded",
    "mask_fractional": "excluded",
    "mask_values": "excluded",
    "mask_empty": "excluded",
    "mask_outside": "excluded",
    "tumor_share": "excluded",
    "no_contrast": "excluded",
    "registration": "warned",
    "placement": "warned",
    "mask_one_value": "warned",
    "far_spacing": "warned",
    "not_skull_stripped": "warned",
    "partly_covered": "warned",
    "flipped": "warned",
    "swapped": "warned",
}
# A scan that fails one of these has no arrays, even if its subject is included by name.
NEEDED = {"refused", "unreadable", "geometry", "shape"}


class Findings:
    """The findings of a scan, in the order of the checks. tolerated: checks that warn instead of exclude."""

    def __init__(self, tolerated: set[str]):
        self.tolerated = tolerated
        self.found: list[dict] = []

    def add(self, check: str, sentence: str | None) -> None:
        """Add a check's sentence, unless it was added before. None means that the check found nothing."""
        if sentence and all(finding["sentence"] != sentence for finding in self.found):
            verdict = "warned" if check in self.tolerated else CHECKS[check]
            self.found.append({"check": check, "verdict": verdict, "sentence": sentence})

    @property
    def verdict(self) -> str:
        """The verdict on the scan, which is that of its worst finding: "included", "warned" or "excluded"."""
        verdicts = {finding["verdict"] for finding in self.found}
        return next((verdict for verdict in ("excluded", "warned") if verdict in verdicts), "included")

    @property
    def excluded(self) -> bool:
        return self.verdict == "excluded"
