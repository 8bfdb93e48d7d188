"""Words to and from a fabric, against a fabric that decodes them by itself and computes with the golden model."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import network as golden_network
from golden.fabric import Fabric
from neurogen.host import codec
from neurogen.spec.errors import InputError
from neurogen.spec.image import Image
from neurogen.spec.memory_map import Region
from neurogen.spec.words import Register, Response
from rtl_tests.golden_port import GoldenPort
from rtl_tests.random_cases import random_case
from rtl_tests.random_networks import FABRICS

SEEDS = range(30)


@pytest.mark.parametrize("name", FABRICS)
def test_load_writes_every_memory(name):
    image = random_case(name, 3).image
    port = GoldenPort(image)
    assert len(port.execute(codec.load(image))) == 0
    blocks = {(core, address): data.tolist() for core, address, data in image.config_writes()}
    assert port.written == blocks
    assert any(any(data) for data in blocks.values())


@pytest.mark.parametrize("name", FABRICS)
def test_samples_through_words_are_what_the_network_computes(name):
    seen = {"spikes": 0, "values": 0, "overlapped": 0, "late": 0}
    for seed in SEEDS:
        case = random_case(name, seed)
        expected = golden_network.run(case.network, case.inputs)
        for overlapped in (False, True) if case.image.overlappable else (False,):
            port, decoder = GoldenPort(case.image), codec.Decoder(case.image.config)
            records = decoder.decode(port.execute(codec.samples(case.image, case.inputs, overlapped)))
            found = codec.outputs(case.image, records, 3, 6, overlapped)
            assert port.fabric.refused == 0
            assert found.spikes.keys() | found.values.keys() == {o.population for o in case.network.outputs}
            for population, spikes in found.spikes.items():
                assert np.array_equal(spikes, expected.spikes[population]), (seed, overlapped)
                seen["spikes"] += int(spikes.sum())
            for population, values in found.values.items():
                assert np.array_equal(values, expected.values[population]), (seed, overlapped)
                seen["values"] += int(np.count_nonzero(values))
            seen["overlapped"] += overlapped
            seen["late"] += any(table[:, 6].max(initial=0) > 1 for table in case.image.inputs.values())
    assert seen["spikes"] and seen["overlapped"] and seen["late"], seen
    assert seen["values"] or not FABRICS[name].core.values, seen


def test_overlapped_is_refused_where_events_could_cross():
    case = next(c for c in (random_case("lif_1x1", seed) for seed in range(40)) if not c.image.overlappable)
    with pytest.raises(InputError, match=r"^samples cannot overlap: an event could cross from one into the next$"):
        codec.begin(case.image, 4, overlapped=True)


def test_overlapped_is_refused_for_samples_shorter_than_the_pipeline():
    case = next(
        c for c in (random_case("lif_1x1", seed) for seed in range(40)) if c.image.can_overlap(c.image.depth + 1)
    )
    image = replace(case.image, depth=4 * case.image.step_ticks)
    codec.begin(image, 5, overlapped=True)
    text = f"samples cannot overlap: a sample has {image.depth} ticks, and a population starts in tick {image.depth}"
    with pytest.raises(InputError, match=f"^{text}$"):
        codec.begin(image, 4, overlapped=True)


def test_more_events_than_a_command_holds_are_split():
    config = FABRICS["lif_1x1"]
    case = random_case("lif_1x1", 1)
    count = 5000
    events = codec.Events(np.zeros((count, 4), int), np.arange(count) % 2, np.ones(count, int))
    port = GoldenPort(case.image)
    port.execute(codec.events(config.model_copy(update={"core": case.image.config.core}), 0, events))
    assert port.largest_events == 4095
    assert port.fabric.tick().activity(0).walks.size > 0


messages = st.lists(
    st.one_of(
        st.tuples(st.just(Response.SPIKE), st.integers(0, 127), st.just(0)),
        st.tuples(st.just(Response.VALUE), st.integers(0, 127), st.integers(-(1 << 31), (1 << 31) - 1)),
        st.tuples(st.just(Response.REPLY), st.integers(0, 65535), st.just(0)),
        st.tuples(st.just(Response.TICK_DONE), st.integers(0, 65535), st.integers(0, (1 << 32) - 1)),
        st.tuples(st.just(Response.PEEKED), st.integers(0, 15), st.integers(0, (1 << 32) - 1)),
        st.tuples(st.just(Response.RESET_DONE), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(messages, st.lists(st.integers(0, 60), max_size=5))
def test_decoder_finds_messages_wherever_the_stream_is_cut(expected, cuts):
    stream = []
    for kind, value, extra in expected:
        stream.append(kind | value << 4)
        if kind in (Response.VALUE, Response.TICK_DONE, Response.PEEKED):
            stream.append(extra & 0xFFFFFFFF)
    decoder = codec.Decoder(FABRICS["if_1x4"])
    found = []
    for part in np.split(np.array(stream, dtype=np.uint32), sorted(min(cut, len(stream)) for cut in cuts)):
        r = decoder.decode(part)
        found += list(zip(r.kind.tolist(), r.value.tolist(), r.extra.tolist(), strict=True))
    assert found == [(int(kind), value, extra) for kind, value, extra in expected]


def test_decoder_refuses_a_word_that_is_no_response():
    with pytest.raises(ValueError, match=r"^word 1 is no response: 0x0000000f$"):
        codec.Decoder(FABRICS["lif_1x1"]).decode(np.array([1, 15], dtype=np.uint32))


def test_outputs_refuse_a_missing_tick():
    case = random_case("lif_1x1", 0)
    records = codec.Decoder(case.image.config).decode(
        GoldenPort(case.image).execute(codec.samples(case.image, case.inputs))
    )
    kept = records[np.flatnonzero(records.kind == Response.TICK_DONE)[0] + 1 :]
    with pytest.raises(ValueError, match=r"^the ticks that were run are not 3 times 0\.\."):
        codec.outputs(case.image, kept, 3, 6)


@pytest.mark.parametrize("name", FABRICS)
def test_states_are_read_back_neuron_by_neuron(name):
    moved, fresh = 0, 0
    for seed in range(6):
        case = random_case(name, seed)
        image: Image = case.image
        port, decoder = GoldenPort(image), codec.Decoder(image.config)
        one = {key: values[0, :2] for key, values in case.inputs.items()}
        port.execute(codec.begin(image, 2))
        for tick, events in enumerate(codec.arrivals(image, one)[: 2 * image.step_ticks]):
            port.execute(np.concatenate([codec.events(image.config, tick, events), codec.advance(image.config)]))
        for core in range(image.config.nodes):
            parts = {r: codec.read_region(image.config, core, r) for r in (Region.STATUS, Region.STATE)}
            data = {r: decoder.decode(port.execute(part)).of(Response.REPLY).value for r, part in parts.items()}
            status = codec.decode_status(image.config, data[Region.STATUS])
            assert np.array_equal(status.fresh, port.fabric.fresh(core))
            state = codec.decode_state(image, core, data[Region.STATE], status.fresh)
            start = codec.initial_state(image, core)
            lanes = image.config.core.lanes
            used = (np.arange(lanes) < image.cores[core].groups["size"][:, None]).ravel()
            for register, values in port.fabric.state(core).items():
                assert np.array_equal(state[register][used], values[used]), (seed, core, register)
                moved += int((state[register] != start[register]).sum())
            fresh += int(status.fresh.sum())
    assert moved and fresh


def test_registers_say_what_a_sample_is():
    case = next(c for c in (random_case("lif_1x1", seed) for seed in range(40)) if c.image.step_ticks > 1)
    port = GoldenPort(case.image)
    port.execute(codec.begin(case.image, 5))
    ticks = case.image.step_ticks
    assert port.pokes == {Register.SAMPLE_TICKS: 5 * ticks, Register.PERIOD_TICKS: ticks,
                          Register.DEPTH: case.image.depth, Register.OVERLAPPED: 0}  # fmt: skip
    assert Fabric(case.image).registers[Register.PERIOD_TICKS] == ticks
