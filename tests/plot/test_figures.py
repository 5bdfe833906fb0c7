"""Every figure has a module, a caption, an alternative text and a section of the report."""

import subprocess
import sys
from pathlib import Path

import pytest

import plot
from glioseg.plot.figures import FIGURES, SECTIONS, draw_of


def test_drawing_does_not_import_tensorflow():
    code = "import sys, plot, plot_subject, report; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    scripts = Path(plot.__file__).parent
    assert subprocess.run([sys.executable, "-c", code], cwd=scripts, check=False).returncode == 0


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_module_texts_and_a_section(name):
    entry = FIGURES[name]
    assert callable(draw_of(name))
    assert entry.section in SECTIONS
    assert entry.caption.endswith(".") and entry.alt.endswith(".")
