"""Each patient counts once when something is chosen on held-out subjects."""

import numpy as np
import pytest

from glioseg.predict.calibrate.patients import by_patient, standard_error


def test_visits_of_a_patient_stay_together():
    assert by_patient([1, 2, 3], ["b", "a", "b"]) == [[1, 3], [2]]
    assert by_patient([1, 2], None) == [[1], [2]]
    assert by_patient([], None) == []
    with pytest.raises(ValueError, match="argument 2 is longer"):
        by_patient([1, 2], ["a"])


def test_the_standard_error_of_a_single_patient_is_none():
    assert standard_error(np.array([1.0, 3.0])) == 1.0
    assert standard_error(np.array([1.0])) == 0.0
