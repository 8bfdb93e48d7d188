"""Field tables: codecs are inverse to each other, refuse what does not fit and agree with Amaranth's layouts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurogen.rtl.layout import struct
from neurogen.spec.errors import InputError
from neurogen.spec.fields import Field, Layout, bits_to_ints, bits_to_words, row_words, words_to_bits
from neurogen.spec.fixed import index_bits, signed_bits_for, signed_range


@st.composite
def layouts(draw):
    shapes = draw(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=8))
    return Layout("drawn", tuple(Field(f"f{i}", width, "", signed) for i, (width, signed) in enumerate(shapes)))


@st.composite
def records(draw):
    layout = draw(layouts())
    return layout, {field.name: draw(st.integers(*field.range)) for field in layout.fields}


@given(records())
def test_unpack_inverts_pack(case):
    layout, record = case
    assert layout.unpack(layout.pack(**record)) == record


@given(records())
def test_amaranth_lays_out_the_same_bits(case):
    layout, record = case
    assert struct(layout).size == layout.width
    constant = struct(layout).const(record)
    assert layout.pack(**record) == constant.as_bits()
    assert {name: constant[name] for name in record} == record


@given(layouts(), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_columns_of_any_shape_come_back(layout, count, seed):
    rng = np.random.default_rng(seed)
    columns = {f.name: rng.integers(f.range[0], f.range[1], (count, 3), endpoint=True) for f in layout.fields}
    bits = layout.to_bits(**columns)
    assert bits.shape == (count, 3, layout.width)
    for name, values in layout.from_bits(bits).items():
        np.testing.assert_array_equal(values, columns[name])


@given(st.integers(1, 70), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_words_hold_rows_of_any_width(width, rows, seed):
    bits = np.random.default_rng(seed).integers(0, 2, (rows, width), dtype=np.uint8)
    words = bits_to_words(bits)
    assert words.shape == (rows, row_words(width)) and words.dtype == np.uint16
    np.testing.assert_array_equal(words_to_bits(words)[:, :width], bits)
    assert not words_to_bits(words)[:, width:].any()
    joined = [sum(int(word) << 16 * i for i, word in enumerate(row)) for row in words]
    assert joined == bits_to_ints(bits)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (Field("w", 4, signed=True), 8, "row.w holds -8..7, not 8 (4 bits, signed)"),
        (Field("w", 4, signed=True), -9, "row.w holds -8..7, not -9 (4 bits, signed)"),
        (Field("x", 3), 8, "row.x holds 0..7, not 8 (3 bits)"),
        (Field("x", 3), -1, "row.x holds 0..7, not -1 (3 bits)"),
        (Field("x", 0), 1, "row.x holds 0..0, not 1 (0 bits)"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(field, value, text):
    with pytest.raises(InputError) as error:
        Layout("row", (field,)).pack(**{field.name: value})
    assert str(error.value) == text


def test_unknown_and_missing_fields_are_refused():
    layout = Layout("row", (Field("a", 1), Field("b", 1)))
    with pytest.raises(KeyError, match="row has no field 'c'"):
        layout.pack(a=0, b=0, c=0)
    with pytest.raises(KeyError, match="b"):
        layout.pack(a=0)
    with pytest.raises(KeyError, match="row has no field 'c'; it has a, b"):
        layout["c"]
    with pytest.raises(ValueError, match="Layout 'row' names a field twice"):
        Layout("row", (Field("a", 1), Field("a", 1)))


@given(st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40))
def test_signed_bits_for_is_the_narrowest_width(a, b):
    low, high = min(a, b), max(a, b)
    bits = signed_bits_for(low, high)
    assert signed_range(bits)[0] <= low and high <= signed_range(bits)[1]
    if bits > 1:
        narrower = signed_range(bits - 1)
        assert low < narrower[0] or high > narrower[1]


@given(st.integers(1, 5000))
def test_index_bits_reach_the_last_of_count(count):
    assert 2 ** index_bits(count) >= count
    assert count == 1 or 2 ** (index_bits(count) - 1) < count
