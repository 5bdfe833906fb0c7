"""What the checks say of a scan, and what each finding does to it."""

# Each finding and what it does to its scan, in the order in which they are looked for.
CHECKS = {
    "missing": "excluded",
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
    "far_spacing": "warned",
    "not_skull_stripped": "warned",
    "flipped": "warned",
    "swapped": "warned",
}
# Without these there are no arrays, whatever a subject is forced to.
NEEDED = {"unreadable", "geometry", "shape"}


class Findings:
    """What the checks say of a scan, in their order; borne: checks that here warn instead of exclude."""

    def __init__(self, borne: set[str]):
        self.borne = borne
        self.found: list[dict] = []

    def add(self, check: str, sentence: str | None) -> None:
        """Note a check's sentence, once; None is nothing to note."""
        if sentence and all(finding["sentence"] != sentence for finding in self.found):
            verdict = "warned" if check in self.borne else CHECKS[check]
            self.found.append({"check": check, "verdict": verdict, "sentence": sentence})

    @property
    def verdict(self) -> str:
        """The worst of all: "included", "warned" or "excluded"."""
        verdicts = {finding["verdict"] for finding in self.found}
        return next((verdict for verdict in ("excluded", "warned") if verdict in verdicts), "included")

    @property
    def excluded(self) -> bool:
        return self.verdict == "excluded"
