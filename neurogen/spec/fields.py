"""Field tables: the one description of a bit format from which every codec is derived.

Convention: the first field of a table sits at the least significant bit, as in an Amaranth ``StructLayout``. Fields of
width 0 are allowed (the x coordinate of a mesh one core wide) and always read as 0.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .errors import InputError
from .fixed import signed_range, unsigned_range

WORD_BITS = 16
"""Width of the data of a WRITE, a READ and one address of a core's memory map."""


@dataclass(frozen=True)
class Field:
    """One field: ``width`` bits, two's complement if ``signed``."""

    name: str
    width: int
    doc: str = ""
    signed: bool = False

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value."""
        if self.width == 0:
            return 0, 0
        return signed_range(self.width) if self.signed else unsigned_range(self.width)


@dataclass(frozen=True)
class Layout:
    """A named sequence of fields, packed without gaps from bit 0."""

    name: str
    fields: tuple[Field, ...]

    def __post_init__(self):
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"Layout {self.name!r} names a field twice: {names}")

    @cached_property
    def width(self) -> int:
        return sum(field.width for field in self.fields)

    @cached_property
    def offsets(self) -> dict[str, int]:
        offsets, at = {}, 0
        for field in self.fields:
            offsets[field.name] = at
            at += field.width
        return offsets

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name!r}; it has {', '.join(f.name for f in self.fields)}")

    def to_bits(self, **columns) -> np.ndarray:
        """Encode integer columns of one common shape S into bits (uint8), shape S + (width,).

        Raises InputError if a value does not fit its field, KeyError for an unknown or missing field.
        """
        self._refuse_unknown(columns)
        arrays = {name: np.asarray(values, dtype=np.int64) for name, values in columns.items()}
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values())) if arrays else ()
        bits = np.zeros((*shape, self.width), dtype=np.uint8)
        for field in self.fields:
            values = np.broadcast_to(arrays[field.name], shape)
            low, high = field.range
            bad = (values < low) | (values > high)
            if bad.any():
                raise self._out_of_range(field, int(values[bad].flat[0]))
            at = self.offsets[field.name]
            bits[..., at : at + field.width] = (values[..., None] >> np.arange(field.width)) & 1
        return bits

    def from_bits(self, bits: np.ndarray) -> dict[str, np.ndarray]:
        """Decode bits of shape S + (>= width,) into int64 columns of shape S."""
        columns = {}
        for field in self.fields:
            at = self.offsets[field.name]
            part = bits[..., at : at + field.width].astype(np.int64)
            value = (part << np.arange(field.width, dtype=np.int64)).sum(axis=-1, dtype=np.int64)
            if field.signed and field.width:
                value -= part[..., -1] << field.width
            columns[field.name] = value
        return columns

    def pack(self, **columns) -> int:
        """Encode one record of Python integers as one integer. Raises as :meth:`to_bits` does."""
        self._refuse_unknown(columns)
        packed = 0
        for field in self.fields:
            value, (low, high) = columns[field.name], field.range
            if not low <= value <= high:
                raise self._out_of_range(field, value)
            packed |= (value & ((1 << field.width) - 1)) << self.offsets[field.name]
        return packed

    def unpack(self, value: int) -> dict[str, int]:
        """Decode one integer; bits above ``width`` are ignored."""
        found = {}
        for field in self.fields:
            part = value >> self.offsets[field.name] & ((1 << field.width) - 1)
            found[field.name] = part - (1 << field.width) if field.signed and part > field.range[1] else part
        return found

    def _refuse_unknown(self, columns) -> None:
        unknown = set(columns) - self.offsets.keys()
        if unknown:
            raise KeyError(f"{self.name} has no field {sorted(unknown)[0]!r}")

    def _out_of_range(self, field: Field, value: int) -> InputError:
        low, high = field.range
        signed = ", signed" if field.signed else ""
        return InputError(f"{self.name}.{field.name} holds {low}..{high}, not {value} ({field.width} bits{signed})")


def bits_to_ints(bits: np.ndarray) -> list[int]:
    """Rows of bits (n, width), least significant first, as Python integers of any width."""
    packed = np.packbits(bits, axis=-1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def row_words(width: int) -> int:
    """How many 16-bit words a row of ``width`` bits takes in the memory map."""
    return max(1, -(-width // WORD_BITS))


def bits_to_words(bits: np.ndarray) -> np.ndarray:
    """Rows of bits (n, width) as 16-bit words (n, row_words(width)), least significant word first."""
    words = row_words(bits.shape[-1])
    padded = np.zeros((len(bits), words * WORD_BITS), dtype=np.uint8)
    padded[:, : bits.shape[-1]] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u2").reshape(len(bits), words).astype(np.uint16)


def words_to_bits(words: np.ndarray) -> np.ndarray:
    """Inverse of :func:`bits_to_words`: shape (n, words) -> (n, words * 16)."""
    raw = np.ascontiguousarray(words, dtype="<u2").view(np.uint8).reshape(len(words), -1)
    return np.unpackbits(raw, axis=-1, bitorder="little")
