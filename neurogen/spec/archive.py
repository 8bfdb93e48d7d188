"""Reading the files that networks and images are kept in: arrays beside one JSON header that names them."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError


def read(path: Path, kind: str, version: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of an ``.npz`` whose header is the array ``neurogen_<kind>``.

    Raises InputError if the file cannot be read, holds something else or is of another version.
    """
    try:
        with Path(path).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'not a readable .npz file'}") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise InputError(f"{path}: not a readable .npz file") from None
    if f"neurogen_{kind}" not in arrays:
        raise InputError(f"{path}: there is no neurogen {kind} in this file")
    header = json.loads(str(arrays.pop(f"neurogen_{kind}")))
    if header["format"] != version:
        raise InputError(f"{path}: {kind} format {header['format']}, this version reads {version}")
    return header, arrays
