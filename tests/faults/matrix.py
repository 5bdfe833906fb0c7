"""Record injected faults and their outcomes by rule; run as a script, write docs/reliability.md."""

import datetime
import json
import os
import platform
import re
from pathlib import Path

SURVIVED, EXPLAINED = "survived", "explained"
FULL = os.environ.get("GLIOSEG_FAULTS") == "full"
# How often each rule is killed. The full matrix takes hours on a busy machine; GLIOSEG_KILLS lowers the number.
KILLS = int(os.environ.get("GLIOSEG_KILLS", "20")) if FULL else 1
TEXT = Path(__file__).parent / "reliability.md"
# One line per injected fault, so that the matrix can run in parts. make test-faults starts a new file.
RECORDS = Path(__file__).parent / "records.jsonl"


class Matrix:
    """Counts per fault and rule: runs that survived with an equal result, and runs that ended in an explained error."""

    def record(self, fault: str, rule: str, outcome: str, sentence: str = "") -> None:
        """Record one injected fault and its outcome: `SURVIVED`, or `EXPLAINED` with the error message."""
        if FULL:
            with RECORDS.open("a") as stream:
                stream.write(json.dumps([fault, rule, outcome, sentence]) + "\n")

    def rows(self) -> dict[tuple[str, str], dict]:
        """(Fault, rule) -> count of each outcome, and the first error message."""
        rows: dict[tuple[str, str], dict] = {}
        for line in RECORDS.read_text().splitlines():
            fault, rule, outcome, sentence = json.loads(line)
            row = rows.setdefault((fault, rule), {SURVIVED: 0, EXPLAINED: 0, "sentence": sentence})
            row[outcome] += 1
        return dict(sorted(rows.items()))

    def explained(self, fault: str, rule: str, done, *expected: str) -> None:
        """Check that a run failed without a traceback and with the expected words in its output, and record it."""
        said = done.stdout + done.stderr
        assert done.returncode > 0, f"{fault} in {rule}: ended with {done.returncode}: {said}"
        assert "Traceback (most recent call last)" not in said, f"{fault} in {rule}: {said}"
        for words in expected:
            assert words in said, f"{fault} in {rule}: {said}"
        lines = [line for line in said.splitlines() if line.startswith("Error: ")] or said.strip().splitlines()[-1:]
        assert lines, f"{fault} in {rule}: nothing was said"
        self.record(fault, rule, EXPLAINED, lines[0].removeprefix("Error: "))

    def write(self, path: Path, day: datetime.date) -> None:
        """Write the page: the text around the table, the machine, and a row per fault and rule."""
        rows = self.rows()
        counts = {name: sum(row[name] for row in rows.values()) for name in (SURVIVED, EXPLAINED)}
        lines = [
            "| fault | rule | injected | equal after all | explained | what it said |",
            "|---|---|--:|--:|--:|---|",
        ]
        for (fault, rule), row in rows.items():
            injected = row[SURVIVED] + row[EXPLAINED]
            cells = (fault, rule, injected, row[SURVIVED] or "", row[EXPLAINED] or "", shown(row["sentence"]))
            lines.append(f"| {' | '.join(map(str, cells))} |")
        text = TEXT.read_text().format(
            day=day.isoformat(), machine=machine(), injected=sum(counts.values()), table="\n".join(lines), **counts
        )
        path.write_text(text)


MATRIX = Matrix()


def shown(sentence: str) -> str:
    """An error message for a table cell: at most 200 characters, without folders of this machine."""
    bare = re.sub(r"(/[\w.+-]+)+/(?=[\w.'-])", "…/", " ".join(sentence.split())).replace("|", "\\|")
    return bare if len(bare) <= 200 else f"{bare[:199]}…"


def machine() -> str:
    """A description of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"a {os.cpu_count()}-core {platform.machine()} machine with {memory:.0f} GB, {platform.system()}"


if __name__ == "__main__":
    MATRIX.write(Path(__file__).parents[2] / "docs/reliability.md", datetime.date.today())
