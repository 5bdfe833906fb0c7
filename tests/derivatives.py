"""What accepts a data set of BIDS derivatives: the validator of BIDS, where it is installed."""

import os
import shutil
import subprocess

import pytest


def insist_on_bids(folder):
    """Fail with the errors of the validator, or skip the rest of a test where there is none."""
    validator = os.environ.get("BIDS_VALIDATOR") or shutil.which("bids-validator-deno")
    if not validator:
        pytest.skip("bids-validator-deno is neither on PATH nor named by the environment variable BIDS_VALIDATOR")
    done = subprocess.run([validator, folder, "--ignoreWarnings"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
