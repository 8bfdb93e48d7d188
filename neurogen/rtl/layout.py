"""Field tables of ``neurogen.spec`` as Amaranth layouts."""

from collections.abc import Iterable

from amaranth.hdl import Cat, Const, Shape, Value, ValueLike
from amaranth.lib import data

from ..spec.fields import Field, Layout


def shape(field: Field) -> Shape:
    """The shape of one field; a field of width 0 is unsigned, for it can only be 0."""
    return Shape(field.width, signed=field.signed and field.width > 0)


def struct(layout: Layout | Iterable[Field]) -> data.StructLayout:
    """The Amaranth layout whose bits are those of ``layout``."""
    fields = layout.fields if isinstance(layout, Layout) else layout
    return data.StructLayout({field.name: shape(field) for field in fields})


def view(layout: Layout, bits: Value) -> data.View:
    """The fields of ``layout`` in the lowest bits of ``bits``."""
    return data.View(struct(layout), bits[: layout.width])


def pack(layout: Layout, **values: ValueLike) -> Value:
    """A value for each field of ``layout``, truncated or extended to the field's width, as the bits of one word.

    Raises KeyError if a field has no value or a value no field.
    """
    if set(values) != {field.name for field in layout.fields}:
        raise KeyError(f"{layout.name} has {', '.join(field.name for field in layout.fields)}, not {', '.join(values)}")
    parts = []
    for field in layout.fields:
        value = values[field.name]
        value = Const(value, field.width) if isinstance(value, int) else Value.cast(value)
        extension = value[-1].replicate(field.width) if value.shape().signed else Const(0, field.width)
        parts.append(Cat(value, extension)[: field.width])
    return Cat(parts)
