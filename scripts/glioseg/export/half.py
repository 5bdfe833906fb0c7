"""A model in half precision: its weights as float16, so that its file is half as large."""

import io
import zipfile

import numpy as np

# The earliest time that a zip archive can hold; the true one would change the file at every export.
TIME = (1980, 1, 1, 0, 0, 0)
_WEIGHTS = "model.weights.h5"


def halved(model: bytes) -> bytes:
    """The content of a .keras file with float16 weights; networks that are built from it compute as before.

    The same content gives the same bytes. Raises ValueError if a weight is too large for float16.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as archive, zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as half:
        for name in archive.namelist():
            content = archive.read(name)
            half.writestr(zipfile.ZipInfo(name, TIME), _in_float16(content) if name == _WEIGHTS else content)
    return written.getvalue()


def _in_float16(weights: bytes) -> bytes:
    """An HDF5 file whose arrays of floating-point numbers are float16."""
    # Imported here, because an export in full precision runs without it.
    import h5py

    written = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as file, h5py.File(written, "w") as half:

        def copy(name: str, part: h5py.Group | h5py.Dataset) -> None:
            if isinstance(part, h5py.Group):
                made = half.require_group(name)
            else:
                values = part[()]
                if np.issubdtype(values.dtype, np.floating):
                    with np.errstate(over="ignore"):
                        values, whole = values.astype(np.float16), values
                    if np.isinf(values).any():
                        raise ValueError(
                            f"{name}: {abs(whole).max():g} is too large for half precision; export in full"
                        )
                made = half.create_dataset(name, data=values)
            made.attrs.update(part.attrs)

        half.attrs.update(file.attrs)
        file.visititems(copy)
    return written.getvalue()
