"""Flatten: the same values in row-major order, which is the order that populations count in anyway."""

NAME = "Flatten"
KIND = "map"
KEYS = ()


def size_in(record) -> None:
    return None


def weights(record, size: int) -> None:
    return None


def bias(record) -> None:
    return None
