"""Events of sensors: every file that can be read, every rule of binning, every refusal with its words."""

from pathlib import Path

import nir
import numpy as np
import pytest

from neurogen.host import data, recordings
from neurogen.host.events import Binning
from neurogen.host.recordings import nmnist
from neurogen.spec.errors import InputError
from neurogen.spec.network import Input

RECORDED = Path(__file__).resolve().parents[1] / "data"
WIDTH, HEIGHT = 5, 4
SENSOR = f"{WIDTH}x{HEIGHT}"
BOTH = (Input("in", 2 * WIDTH * HEIGHT),)
ONE = (Input("in", WIDTH * HEIGHT),)
GRADED = (Input("in", 2 * WIDTH * HEIGHT, payload_bits=3),)
US = Binning(step_us=10, sensor=SENSOR)
DTYPES = [
    [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "?")],
    [("p", "i1"), ("y", "u1"), ("x", "u1"), ("t", "<u4")],
    [("x", "<u2"), ("t", "<u8"), ("polarity", "u1"), ("y", "<i4")],
    [("timestamp", ">i8"), ("on", "?"), ("x", ">u2"), ("y", ">u2")],
]


def drawn(count: int = 60, samples: int = 1, seed: int = 1) -> dict[str, np.ndarray]:
    """Events of distinct steps and lines, out of order."""
    rng = np.random.default_rng(seed)
    places = rng.choice(samples * 8 * 2 * WIDTH * HEIGHT, count, replace=False)
    sample, step, p, y, x = np.unravel_index(places, (samples, 8, 2, HEIGHT, WIDTH))
    return {"sample": sample, "t": step * 10 + rng.integers(0, 10, count), "p": p, "y": y, "x": x}


def wanted(events: dict[str, np.ndarray], samples: int = 1, steps: int = 8) -> np.ndarray:
    """The same, event by event."""
    spikes = np.zeros((samples, steps, 2 * WIDTH * HEIGHT), dtype=int)
    for sample, t, p, y, x in zip(*(events[name].tolist() for name in ("sample", "t", "p", "y", "x")), strict=True):
        spikes[sample, t // 10, (p * HEIGHT + y) * WIDTH + x] += 1
    return spikes


def structured(events: dict[str, np.ndarray], dtype) -> np.ndarray:
    names = {"timestamp": "t", "polarity": "p", "on": "p"}
    array = np.zeros(len(events["t"]), dtype=dtype)
    for name, *_ in dtype:
        array[name] = events[names.get(name, name)]
    return array


def saved(folder, array=None, **arrays):
    path = folder / ("x.npz" if array is None else "x.npy")
    np.savez(path, **arrays) if array is None else np.save(path, array)
    return path


def refusal(path, inputs=BOTH, binning=US) -> str:
    with pytest.raises(InputError) as error:
        data.read(path, inputs, binning)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(path), "X")


# What is read


@pytest.mark.parametrize("dtype", DTYPES)
def test_structured_events_in_any_order_and_type(tmp_path, dtype):
    events = drawn()
    found = data.read(saved(tmp_path, structured(events, dtype)), BOTH, US)
    assert np.array_equal(found.inputs["in"], wanted(events)) and found.notes == () and found.step == 1e-5


def test_columns_of_several_samples_with_labels(tmp_path):
    events = drawn(samples=3)
    found = data.read(saved(tmp_path, **events, labels=[7, 8, 9]), BOTH, US)
    assert np.array_equal(found.inputs["in"], wanted(events, 3)) and found.labels.tolist() == [7, 8, 9]


def test_a_line_of_channels_without_polarity(tmp_path):
    path = saved(tmp_path, t=np.array([0, 25, 12]), x=np.array([3, 0, 3], dtype=np.uint16))
    found = data.read(path, (Input("in", 4),), Binning(step_us=10, sensor="4x1"))
    assert np.argwhere(found.inputs["in"]).tolist() == [[0, 0, 3], [0, 1, 3], [0, 2, 0]]


def test_minus_one_is_off(tmp_path):
    events = drawn()
    path = saved(tmp_path, **(events | {"p": events["p"] * 2 - 1}))
    assert np.array_equal(data.read(path, BOTH, US).inputs["in"], wanted(events))


def test_frames_are_flattened_by_the_same_address(tmp_path):
    spikes = wanted(drawn(samples=2), 2)
    frames = spikes.reshape(2, 8, 2, HEIGHT, WIDTH)
    assert np.array_equal(data.read(saved(tmp_path, frames=frames), BOTH).inputs["in"], spikes)
    assert np.array_equal(data.read(saved(tmp_path, frames=frames[:, :, 1]), ONE).inputs["in"], spikes[:, :, 20:])


def as_nmnist(events: dict[str, np.ndarray]) -> bytes:
    rows = zip(*(events[name].tolist() for name in ("x", "y", "p", "t")), strict=True)
    return b"".join((x << 32 | y << 24 | p << 23 | t).to_bytes(5, "big") for x, y, p, t in rows)


def test_nmnist_is_read(tmp_path):
    (tmp_path / "hand.bin").write_bytes(bytes([33, 2, 0b1000_0001, 0x00, 0x0A, 0, 33, 0, 0, 9]))
    found = nmnist.read(tmp_path / "hand.bin")
    assert (found.x.tolist(), found.y.tolist(), found.p.tolist()) == ([33, 0], [2, 33], [1, 0])
    assert found.t.tolist() == [65536 + 10, 9] and found.sensor == (34, 34)
    events = drawn()
    (tmp_path / "x.bin").write_bytes(as_nmnist(events))
    assert np.array_equal(data.read(tmp_path / "x.bin", BOTH, US).inputs["in"], wanted(events))


def test_a_folder_of_recordings_is_samples_with_labels(tmp_path):
    parts = [drawn(seed=seed) for seed in range(3)]
    for label, name, events in zip((3, 3, 8), "bac", parts, strict=True):
        (tmp_path / str(label)).mkdir(exist_ok=True)
        (tmp_path / str(label) / f"{name}.bin").write_bytes(as_nmnist(events))
    found = data.read(tmp_path, BOTH, US)
    assert found.labels.tolist() == [3, 3, 8]
    assert np.array_equal(found.inputs["in"], np.concatenate([wanted(parts[i]) for i in (1, 0, 2)]))


def test_aedat4_is_read_from_its_first_event(tmp_path):
    """The file was written by dv-processing 2.0.4 from the events that are drawn here."""
    pytest.importorskip("aedat", reason="the extra 'events' is not installed")
    rng, rows, t = np.random.default_rng(1), [], 0
    for _ in range(60):
        t += int(rng.integers(0, 900))
        rows.append((t, int(rng.integers(16)), int(rng.integers(12)), int(rng.integers(2))))
    t, x, y, p = np.array(rows).T
    step = (t - t[0]) // 1000
    spikes = np.zeros((step.max() + 1, 2 * 12 * 16), dtype=int)
    np.add.at(spikes, (step, (p * 12 + y) * 16 + x), 1)
    found = data.read(RECORDED / "events.aedat4", (Input("in", 2 * 12 * 16),), Binning(step_us=1000))
    assert np.array_equal(found.inputs["in"][0], spikes > 0) and spikes.sum() == 60
    assert found.inputs["in"][0, 0].any()


def nird(folder, suffix=".nir", **observables):
    path = folder / f"x{suffix}"
    graph = nir.NIRGraphData({"in": nir.NIRNodeData(observables)})
    nir.write_data(path, graph)
    return path


def test_nir_data_is_read_gridded_and_as_events(tmp_path):
    spikes = wanted(drawn(samples=2), 2).astype(bool)
    gridded = nir.TimeGriddedData(spikes, dt=0.001)
    found = data.read(nird(tmp_path, spikes=gridded), BOTH)
    assert np.array_equal(found.inputs["in"], spikes) and found.step == 0.001
    for shift in (0.0, 0.0004):  # 0.007 / 0.001 is less than 7 in floating point
        events = gridded.to_event(60, shift)
        found = data.read(nird(tmp_path, ".h5", spikes=events), BOTH, Binning(step_us=1000))
        assert np.array_equal(found.inputs["in"], spikes) and found.step == 0.001 and found.notes == ()


def test_nir_data_with_values_is_graded(tmp_path):
    idx, time = np.array([[0, 3, -1]]), np.array([[0.0, 0.02, np.inf]])
    events = nir.ValuedEventData(idx, time, n_neurons=40, t_max=0.05, value=np.array([[5.0, 7.0, 0.0]]))
    found = data.read(nird(tmp_path, x=events), GRADED, Binning(step_us=10_000)).inputs["in"]
    assert found.shape == (1, 5, 40) and (found[0, 0, 0], found[0, 2, 3], found.sum()) == (5, 7, 12)


def test_outputs_as_nir_data_read_back_identically(tmp_path):
    spikes, values = wanted(drawn(samples=2), 2), np.arange(-6, 6).reshape(2, 2, 3)
    for name in ("a.nir", "b.nir"):
        data.write(tmp_path / name, {"p": spikes}, {"q": values}, 0.001)
    assert (tmp_path / "a.nir").read_bytes() == (tmp_path / "b.nir").read_bytes()
    nodes = nir.read_data(str(tmp_path / "a.nir")).nodes
    found = nodes["p"].observables["spikes"]
    assert found.data.dtype == bool and np.array_equal(found.data, spikes) and found.dt == 0.001
    assert np.array_equal(nodes["q"].observables["v"].data, values)
    again = data.read(tmp_path / "a.nir", (Input("p", 40),))
    assert np.array_equal(again.inputs["p"], spikes)
    data.write(tmp_path / "c.nir", {"p": spikes}, {})
    assert nir.read_data(str(tmp_path / "c.nir")).nodes["p"].observables["spikes"].dt == 1


# Rules


def test_polarities_are_merged_on_demand_and_losses_are_said(tmp_path):
    events = drawn()
    path = saved(tmp_path, **events)
    found = data.read(path, ONE, Binning(step_us=10, sensor=SENSOR, polarity="merge"))
    both = wanted(events)
    either = both[:, :, :20] + both[:, :, 20:]
    assert np.array_equal(found.inputs["in"], either > 0)
    lost = int(either.sum() - np.count_nonzero(either))
    assert lost > 0
    assert found.notes == (f"{path}: 60 events; {lost} that share step and line with another were merged",)


def test_events_are_counted_into_payloads(tmp_path):
    events = {"t": np.array([0, 3, 9, 10]), "x": np.array([1, 1, 1, 1]), "y": np.zeros(4, int), "p": np.zeros(4, int)}
    found = data.read(saved(tmp_path, **events), GRADED, US)
    assert found.inputs["in"][0, :, 1].tolist() == [3, 1] and found.notes == ()
    merged = data.read(saved(tmp_path, **events), GRADED, Binning(step_us=10, sensor=SENSOR, several="merge"))
    assert merged.inputs["in"][0, :, 1].tolist() == [1, 1] and "2 that share step" in merged.notes[0]


def test_what_is_outside_is_dropped_only_on_demand_and_counted(tmp_path):
    events = drawn()
    events["x"][3], events["y"][4], events["t"][5] = WIDTH, -1, -1
    path = saved(tmp_path, **events)
    kept = {name: np.delete(values, (3, 4, 5)) for name, values in events.items()}
    found = data.read(path, BOTH, Binning(step_us=10, sensor=SENSOR, outside="drop"))
    assert np.array_equal(found.inputs["in"], wanted(kept))
    assert found.notes == (f"{path}: 60 events; 3 outside 5x4 pixels or before step 0 were dropped",)


def test_steps_cut_and_pad(tmp_path):
    events = drawn()
    late = int((events["t"] >= 50).sum())
    path = saved(tmp_path, **events)
    found = data.read(path, BOTH, Binning(step_us=10, sensor=SENSOR, steps=5))
    assert np.array_equal(found.inputs["in"], wanted(events)[:, :5]) and late > 0
    assert found.notes == (f"{path}: 60 events; {late} after step 5 were cut off",)
    longer = data.read(path, BOTH, Binning(step_us=10, sensor=SENSOR, steps=9))
    assert longer.steps == 9 and not longer.inputs["in"][:, 8].any() and longer.notes == ()
    path = saved(tmp_path, spikes=wanted(events))
    found = data.read(path, BOTH, Binning(steps=5))
    assert np.array_equal(found.inputs["in"], wanted(events)[:, :5])
    assert found.notes == (f"{path}: in: {late} of its events after step 5 were cut off",)


def test_time_can_begin_at_the_first_event_of_every_sample(tmp_path):
    path = saved(tmp_path, t=[115, 100, 231, 210], x=[0, 1, 2, 3], y=[0] * 4, sample=[0, 0, 1, 1])
    found = data.read(path, ONE, Binning(step_us=10, sensor=SENSOR, origin="first"))
    assert np.argwhere(found.inputs["in"]).tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 3], [1, 2, 2]]


# Refusals

EVENTS = drawn()
BAD_COLUMNS = [
    ({"y": None, "x": None}, US, "X: events have no column 'x'; there are p, sample, t"),
    ({"t": EVENTS["t"] / 2}, US, "X: column 't' of the events holds float64, not integers"),
    ({"x": EVENTS["x"][:-1]}, US, "X: column 'x' of the events has shape (59,), 't' has (60,)"),
    ({"p": EVENTS["p"] + 1}, US, "X: column 'p' of the events holds 2; it is 1 for on and 0 or -1 for off"),
    ({"sample": EVENTS["sample"] - 1}, US, "X: column 'sample' of the events holds -1, not 0 or more"),
    ({}, Binning(sensor=SENSOR), "X: events need --step-us, the length of a step in microseconds"),
    ({}, Binning(step_us=10), "X: events need --sensor WIDTHxHEIGHT, the sensor's pixels"),
    ({}, Binning(step_us=10, sensor="4x4"), "X: 4x4 pixels with 2 polarities make 32 lines, input 'in' has 40"),
    (
        {"x": np.where(np.arange(60) == 7, 5, EVENTS["x"])},
        US,
        "X: event 7 (x=5, y={y}, step {step}) is outside 5x4 pixels or before step 0; --outside drop leaves such events"
        " out",
    ),
    (
        {name: np.repeat(values[:1], 2) for name, values in EVENTS.items()},
        Binning(step_us=10, sensor=SENSOR, several="refuse"),
        "X: 2 events at (sample, step, line) = {place}, at most 1 can be there; a shorter --step-us parts them,"
        " --several merge makes one spike of them",
    ),
]


@pytest.mark.parametrize(("changes", "binning", "message"), BAD_COLUMNS)
def test_wrong_events_are_refused_in_one_line(tmp_path, changes, binning, message):
    arrays = {name: values for name, values in sorted((EVENTS | changes).items()) if values is not None}
    y, step = EVENTS["y"][7], EVENTS["t"][7] // 10
    place = tuple(int(i) for i in np.argwhere(wanted({name: v[:1] for name, v in EVENTS.items()}))[0])
    assert refusal(saved(tmp_path, **arrays), BOTH, binning) == message.format(y=y, step=step, place=place)


def test_a_merge_is_advised_where_it_fits(tmp_path):
    expected = "X: 5x4 pixels with 2 polarities make 40 lines, input 'in' has 20; give --polarity merge"
    assert refusal(saved(tmp_path, **EVENTS), ONE) == expected


def test_files_of_events_that_cannot_be_read(tmp_path):
    cut, empty, folder = tmp_path / "cut.bin", tmp_path / "empty.bin", tmp_path / "folder"
    cut.write_bytes(bytes(12)), empty.write_bytes(b""), folder.mkdir()
    assert refusal(cut) == "X: 12 bytes are no whole number of 5-byte events; the file may be cut off"
    assert refusal(empty) == "X: holds no events"
    assert refusal(tmp_path / "none.bin") == "X: No such file or directory"
    assert refusal(folder) == "X: there is no recording in this folder (.aedat4, .bin)"
    (folder / "a.bin").write_bytes(bytes(5)), (folder / "b.aedat4").write_bytes(b"")
    assert refusal(folder) == "X: recordings of several formats: .aedat4, .bin"
    two = (Input("a", 40), Input("b", 40))
    assert refusal(cut.with_name("ok.bin"), two) == "X: No such file or directory"
    cut.write_bytes(bytes(5))
    assert refusal(cut, two) == "X: a recording feeds one input, this network has 2"
    frames = saved(tmp_path, frames=np.zeros((3, 4, 5)))
    assert refusal(frames) == "X: frames have shape (3, 4, 5), not (B, T, H, W) or (B, T, P, H, W)"


def test_aedat4_that_cannot_be_read(tmp_path, monkeypatch):
    pytest.importorskip("aedat", reason="the extra 'events' is not installed")
    path, whole = tmp_path / "x.aedat4", (RECORDED / "events.aedat4").read_bytes()
    assert refusal(path) == "X: No such file or directory"
    path.write_bytes(whole[: len(whole) // 2])
    assert refusal(path).startswith("X: not a readable AEDAT4 file (")
    path.write_bytes(b"#!AER-DAT2.0\r\n")
    assert refusal(path) == "X: not a readable AEDAT4 file (the file does not contain AEDAT4 data (wrong magic number))"
    monkeypatch.setattr(recordings.aedat4.importlib.util, "find_spec", lambda name: None)
    assert refusal(path) == "X: AEDAT4 needs the package 'aedat'; install neurogen[events]"


def test_nir_data_that_cannot_be_read(tmp_path):
    spikes = nir.TimeGriddedData(np.zeros((1, 2, 40), dtype=bool), dt=1.0)
    late = nir.EventData(np.array([[1, 40]]), np.array([[0.0, 0.02]]), n_neurons=40, t_max=0.05)
    half = nir.ValuedEventData(np.array([[1]]), np.array([[0.0]]), n_neurons=40, t_max=0.05, value=np.array([[0.5]]))
    path = tmp_path / "x.nir"
    assert refusal(path) == "X: No such file or directory"
    path.write_bytes(b"text")
    assert refusal(path) == "X: not a readable NIRData file"
    nir.write(path, nir.NIRGraph({"i": nir.Input(np.array([2])), "o": nir.Output(np.array([2]))}, [("i", "o")]))
    assert refusal(path) == "X: there is no NIRData in this file"
    assert refusal(nird(tmp_path, a=spikes, b=spikes)) == "X: node 'in' has no observable 'spikes'; it has a, b"
    assert refusal(nird(tmp_path, s=spikes), (*BOTH, Input("b", 1))) == "X: there is no node 'b'; there are in"
    assert refusal(nird(tmp_path, s=late), BOTH, Binning()) == (
        "X: in: events need --step-us, the length of a step in microseconds"
    )
    assert refusal(nird(tmp_path, s=late), BOTH, Binning(step_us=10_000)) == (
        "X: in: event 1 (x=40, y=0, step 2) is outside 40x1 pixels or before step 0; --outside drop leaves such events"
        " out"
    )
    assert refusal(nird(tmp_path, s=half), GRADED, Binning(step_us=10_000)) == (
        "X: in: an event has the value 0.5, not an integer"
    )


def test_formats_are_found_by_scanning():
    assert set(recordings.formats()) == {"aedat4", "nmnist"}
    assert all(module.SUMMARY and module.SUFFIXES for module in recordings.formats().values())
