"""The process behind ``hdf5``: answers paths with their files' content. It imports no part of the project.

Messages in both directions are a length (8 bytes) and as many bytes: a path in, a pickled answer out. An answer is a
dictionary, or text that says why there is none. An empty message says at the start that the process is ready.
"""

import os
import pickle
import struct
import sys

import numpy as np

DEPTH = 32  # of nested groups; more is a loop of links
EXPANSION = 2000  # decompressed bytes per byte of the file; deflate reaches 1032


def send(stream, data: bytes) -> None:
    stream.write(struct.pack("<Q", len(data)))
    stream.write(data)
    stream.flush()


def receive(stream) -> bytes | None:
    """One message, or None at the end of the stream."""
    header = stream.read(8)
    if len(header) < 8:
        return None
    (length,) = struct.unpack("<Q", header)
    data = stream.read(length)
    return data if len(data) == length else None


def serve() -> None:
    """Answer paths from standard input with their files' content on standard output, until the former ends."""
    import h5py  # noqa: F401  takes its time, which is not the first file's

    send(sys.stdout.buffer, b"")
    while (path := receive(sys.stdin.buffer)) is not None:
        send(sys.stdout.buffer, pickle.dumps(_content(os.fsdecode(path)), protocol=5))


def _content(path: str) -> dict | str:
    """The file's content, or the reason why it cannot be read."""
    import h5py  # only here: the other side needs no more than the messages

    try:
        with h5py.File(path) as file:
            return _group(file, EXPANSION * os.path.getsize(path), DEPTH)
    except Exception as error:  # whatever h5py makes of damage
        lines = str(error.args[0] if error.args else "").splitlines()
        return lines[0] if lines else type(error).__name__


def _group(group, largest: int, depth: int) -> dict:
    if not depth:
        raise ValueError("its groups are nested too deeply, or in a loop")
    found = {}
    for key, item in group.items():
        if not isinstance(key, str):
            raise ValueError(f"the name {key!r} is no text")
        if hasattr(item, "keys"):
            found[key] = _group(item, largest, depth - 1)
        elif not hasattr(item, "size"):
            raise ValueError(f"{key!r} is neither a group nor a dataset")
        elif item.dtype.kind == "V":
            raise ValueError(f"{item.name} holds records, which networks do not")
        elif item.size * item.dtype.itemsize > largest:
            raise ValueError(f"{item.name} claims {item.size} values, more than the file can hold")
        else:
            found[key] = _value(item[()])
    return found


def _value(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        texts = [item.decode() if isinstance(item, bytes) else item for item in value.ravel()]
        return np.array(texts).reshape(value.shape)
    return value


if __name__ == "__main__":
    serve()
