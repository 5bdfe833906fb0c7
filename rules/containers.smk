# Images of the containers (--sdm apptainer), and what they see.
import os

from glioseg.model_files import files_of
from glioseg.workflow.containers import bind, bind_paths

# Without TensorFlow, and with it.
LIGHT, FULL = (os.path.normpath(f"{HOME}/containers/{name}.sif") for name in ("light", "full"))


def needed_paths():
    """Files and folders that the jobs read and that may be outside of the working directory."""
    data = [] if PHANTOMS else [source["folder"] for source in sources(config)]
    files = {os.path.dirname(file.path) for subject in SERIES.values() for file in subject.files.values()}
    models = [*GIVEN, *files_of(STARTS)]
    return [HOME, GLIOSEG, RESULTS, *data, *files, *models, *filter(None, [config["split"]["file"], BRAINS])]


if any(method.name == "APPTAINER" for method in workflow.deployment_settings.deployment_method):
    bind(bind_paths(needed_paths(), Path()))
