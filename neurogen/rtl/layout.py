"""Field tables of ``neurogen.spec`` as Amaranth layouts."""

from collections.abc import Iterable

from amaranth.hdl import Shape
from amaranth.lib import data

from ..spec.fields import Field, Layout


def shape(field: Field) -> Shape:
    """The shape of one field; a field of width 0 is unsigned, for it can only be 0."""
    return Shape(field.width, signed=field.signed and field.width > 0)


def struct(layout: Layout | Iterable[Field]) -> data.StructLayout:
    """The Amaranth layout whose bits are those of ``layout``."""
    fields = layout.fields if isinstance(layout, Layout) else layout
    return data.StructLayout({field.name: shape(field) for field in fields})
