"""Files of samples: what is read, what is refused and with which words, what is written."""

import numpy as np
import pytest

from neurogen.host import data
from neurogen.spec.errors import InputError
from neurogen.spec.network import Input

ONE = (Input("in", 5),)
GRADED = (Input("in", 5, payload_bits=3),)
RNG = np.random.default_rng(1)
SPIKES = RNG.integers(0, 2, (3, 4, 5))


def x(folder, **arrays):
    path = folder / "x.npz"
    np.savez(path, **arrays)
    return path


def refusal(path, inputs=ONE) -> str:
    with pytest.raises(InputError) as error:
        data.read(path, inputs)
    message = str(error.value)
    assert "\n" not in message
    return message.replace(str(path), "X")


def test_samples_steps_and_lines_are_read(tmp_path):
    found = data.read(x(tmp_path, spikes=SPIKES, labels=[4, 5, 6]), ONE)
    assert np.array_equal(found.inputs["in"], SPIKES) and found.labels.tolist() == [4, 5, 6]
    assert (len(found), found.steps) == (3, 4)
    assert found[1:].labels.tolist() == [5, 6] and np.array_equal(found[1:].inputs["in"], SPIKES[1:])


def test_one_sample_needs_no_first_axis(tmp_path):
    np.save(tmp_path / "x.npy", SPIKES[0].astype(bool))
    found = data.read(tmp_path / "x.npy", ONE)
    assert np.array_equal(found.inputs["in"], SPIKES[:1]) and found.labels is None


def test_several_inputs_have_names(tmp_path):
    path = x(tmp_path, **{"spikes/a": SPIKES, "spikes/b": SPIKES[:, :, :2]})
    found = data.read(path, (Input("a", 5), Input("b", 2)))
    assert np.array_equal(found.inputs["b"], SPIKES[:, :, :2])


def test_events_become_spikes(tmp_path):
    rows = np.argwhere(SPIKES)
    found = data.read(x(tmp_path, events=rows, shape=SPIKES.shape), ONE)
    assert np.array_equal(found.inputs["in"], SPIKES)
    graded = np.column_stack([rows, np.arange(len(rows)) % 7 + 1])
    found = data.read(x(tmp_path, events=graded, shape=SPIKES.shape), GRADED)
    assert found.inputs["in"][tuple(rows.T)].tolist() == graded[:, 3].tolist()


REFUSED = [
    ({"spikes": SPIKES * 2}, ONE, r"X: spikes holds 2 at (sample, step, line) = {at}; spikes are 0 or 1"),
    ({"spikes": SPIKES * 9}, GRADED, r"X: spikes holds 9 at (sample, step, line) = {at}; 3 payload bits hold 0..7"),
    ({"spikes": SPIKES * 0.5}, ONE, r"X: spikes holds 0.5 at (sample, step, line) = {at}; spikes are 0 or 1"),
    (
        {"spikes": np.where(SPIKES, np.nan, 0)},
        ONE,
        r"X: spikes holds nan at (sample, step, line) = {at}; spikes are 0 or 1",
    ),
    ({"spikes": SPIKES[:, :, :4]}, ONE, "X: spikes has shape (3, 4, 4), not (B, T, 5) or (T, 5)"),
    ({"spikes": SPIKES[:, :0]}, ONE, "X: spikes has shape (3, 0, 5), not (B, T, 5) or (T, 5)"),
    ({"spikes": SPIKES.astype(str)}, ONE, "X: spikes holds <U21, not integers"),
    ({"x": SPIKES}, ONE, "X: there is no array 'spikes'; there are x"),
    ({"spikes": SPIKES, "labels": [1, 2]}, ONE, "X: labels are integers (3,), not int64 (2,)"),
    ({"events": np.argwhere(SPIKES)}, ONE, "X: an event list needs 'shape', three integers (B, T, N)"),
    ({"events": [[0, 4, 0]], "shape": [3, 4, 5]}, ONE, "X: event 0 is at (0, 4, 0), outside (3, 4, 5)"),
    ({"events": [[0, 1]], "shape": [3, 4, 5]}, ONE, "X: events are integers (k, 3 or 4), not int64 (1, 2)"),
]


@pytest.mark.parametrize(("arrays", "inputs", "message"), REFUSED)
def test_wrong_samples_are_refused_in_one_line(tmp_path, arrays, inputs, message):
    at = tuple(int(i) for i in np.argwhere(SPIKES)[0])
    assert refusal(x(tmp_path, **arrays), inputs) == message.format(at=at)


def test_inputs_of_different_length_are_refused(tmp_path):
    path = x(tmp_path, **{"spikes/a": SPIKES, "spikes/b": SPIKES[:, :2]})
    assert refusal(path, (Input("a", 5), Input("b", 5))) == "X: the inputs differ in samples and steps: (3, 2), (3, 4)"


def test_files_that_cannot_be_read_are_refused(tmp_path):
    missing, cut, other = tmp_path / "no.npz", tmp_path / "cut.npz", tmp_path / "x.csv"
    cut.write_bytes(x(tmp_path, spikes=SPIKES).read_bytes()[:200])
    assert refusal(missing) == "X: No such file or directory"
    assert refusal(cut) == "X: not a readable .npz or .npy file; it may be cut off"
    assert (
        refusal(other) == "X: samples are one of .aedat4, .bin, .h5, .hdf5, .nir, .npy, .npz, or a folder of recordings"
    )


def test_the_same_outputs_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        data.write(tmp_path / f"{name}.npz", {"p": SPIKES}, {"q": SPIKES - 1, "r": SPIKES - 2})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as found:
        assert found["spikes"].dtype == np.uint8 and np.array_equal(found["spikes"], SPIKES)
        assert found["values/r"].dtype == np.int32 and np.array_equal(found["values/r"], SPIKES - 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_an_unwritable_place_is_one_line(tmp_path):
    path = tmp_path / "none" / "y.npz"
    with pytest.raises(InputError) as error:
        data.write(path, {"p": SPIKES}, {})
    assert str(error.value) == f"{path}: cannot be written: No such file or directory"


def test_rules_of_decision():
    spikes = np.zeros((4, 3, 3), dtype=np.uint8)
    spikes[0, :, 1] = 1  # most often 1
    spikes[1, 0, 2] = spikes[1, 1:, 1] = 1  # 2 first, 1 more often
    spikes[2, 1, 1:] = 1  # a tie
    values = np.array([[[5, 0, 1], [1, 2, 2]]])
    assert data.decide({"p": spikes}, {}).tolist() == [1, 1, 1, 0]
    assert data.decide({"p": spikes}, {}, "first").tolist() == [1, 2, 1, 0]
    assert data.decide({}, {"p": values}).tolist() == [1]
    assert data.decide({}, {"p": values}, "max").tolist() == [0]


def test_rules_that_cannot_be_used_are_refused():
    with pytest.raises(InputError, match=r"^decide is one of count, first, last, max, not 'least'$"):
        data.decide({"p": SPIKES}, {}, "least")
    with pytest.raises(InputError, match=r"^decide 'last' reads values, which .*; it can use count, first$"):
        data.decide({"p": SPIKES}, {}, "last")
