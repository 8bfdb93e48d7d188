"""The design-space sweep: candidates, front, what is kept, where it runs, what is refused."""

import json

import numpy as np
import pytest

from neurogen import compiler
from neurogen.cli import main
from neurogen.flow import bitstream, explore
from neurogen.flow.explore import Candidate, Point
from neurogen.flow.target import SHIPPED, SHIPPED_SAMPLES
from neurogen.host import data
from neurogen.spec.errors import InputError, ToolError
from rtl_tests.command_line import refuse

BOARD = "ulx3s_12f"
ARGUMENTS = ("explore", "--board", BOARD, "--bits", "4", "--lanes", "8,16", "--banks", "1,2", "--update-lanes", "1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROGEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def digits():
    """The shipped network in 4 bits, and a few of its samples."""
    network = compiler.quantise(compiler.read(SHIPPED), compiler.Quantisation(weight_bits=4))
    return network, data.read(SHIPPED_SAMPLES, network.inputs)[slice(0, 2)]


def here(function, tasks):
    """Runs tasks in this process."""
    for number, task in tasks:
        yield number, function(task)


def points(*rows) -> list[Point]:
    return [
        Point(Candidate(4, 8, 1, 1), accuracy, lut=lut, ram=1, cycles=cycles, fits=fits)
        for lut, cycles, accuracy, fits in rows
    ]


def test_front_holds_what_nothing_beats_in_everything_and_what_fits():
    found = points(
        (10, 100, 0.9, True),
        (20, 50, 0.9, True),
        (30, 50, 0.9, True),  # larger than the one before, and no better
        (30, 50, 0.95, True),
        (5, 1, 1.0, False),
    )
    assert explore.pareto(found) == [1, 3, 0]
    assert explore.pareto(points((10, 10, None, True), (10, 10, None, True))) == [0, 1]


def test_candidates_are_all_combinations_that_a_core_can_have():
    found = explore.candidates([4, 8], [4, 8], [1], [1, 8], ["1x1", "2x1"])
    assert len(found) == 2 * 3 * 2 and len(set(found)) == len(found)
    assert all(candidate.update_lanes <= candidate.lanes for candidate in found)
    with pytest.raises(InputError, match=r"^no candidate: update lanes are at most lanes$"):
        explore.candidates([4], [4], [1], [8], ["1x1"])
    with pytest.raises(InputError, match=r"^lanes '4,6': powers of two are expected, not 6$"):
        explore.parse_numbers("4,6", "lanes")


def test_device_is_found_among_the_boards():
    assert explore.board_of("iCE40UP5K") == "icebreaker"
    with pytest.raises(InputError, match=r"^there is no board with the device 'XC7A35T'; there are .*LFE5U-25F"):
        explore.board_of("XC7A35T")


def test_sweep_that_was_stopped_does_only_what_is_missing(digits):
    network, samples = digits
    wanted = explore.candidates([4], [8, 16], [1, 2], [1], ["1x1"])
    ran = []

    def stopping(function, tasks):
        for number, task in tasks[:3]:
            ran.append(task.candidate)
            yield number, function(task)
        raise KeyboardInterrupt

    def rest(function, tasks):
        ran.extend(task.candidate for _, task in tasks)
        return here(function, tasks)

    with pytest.raises(KeyboardInterrupt):
        explore.explore({4: network}, wanted, BOARD, samples, stopping)
    assert len(ran) == 3
    found = explore.explore({4: network}, wanted, BOARD, samples, rest)
    assert ran == wanted and all(point.cycles > 0 and point.lut > 0 for point in found.points)
    one, two = (found.points[wanted.index(Candidate(4, 8, banks, 1))] for banks in (1, 2))
    assert two.cycles < one.cycles and two.lut > one.lut and one.accuracy == two.accuracy
    again = explore.explore({4: network}, wanted, BOARD, samples, lambda *_: pytest.fail("nothing is missing"))
    assert again == found


def test_front_is_placed_and_routed_where_that_is_asked_for(digits, monkeypatch):
    network, samples = digits
    used = {"lut": 5000, "ff": 1, "ram": 9, "dsp": 0}
    monkeypatch.setattr(bitstream, "trial", lambda job: bitstream.Trial(1, None, 80e6, used))
    wanted = explore.candidates([4], [8, 16], [1, 2], [1], ["1x1"])
    found = explore.explore({4: network}, wanted, BOARD, samples, here, synthesis=2)
    placed = [number for number, point in enumerate(found.points) if point.measured]
    assert sorted(placed) == sorted(found.front[:2])
    text = explore.table(found)
    assert "5,000 LUT, 9 RAM, 80.0 MHz" in text and "estimated LUTs of what was placed here are off by" in text
    monkeypatch.setattr(bitstream, "trial", _fail)
    more = explore.explore({4: network}, wanted, BOARD, samples, here, synthesis=3)
    assert "the router gave up" in explore.table(more) or len(more.front) < 3


def _fail(job):
    raise ToolError("the router gave up")


def test_network_that_no_candidate_holds_is_refused_with_the_reason(digits):
    network, samples = digits
    with pytest.raises(InputError, match="no candidate fits icebreaker"):
        explore.explore({4: network}, [Candidate(4, 64, 16, 8)], "icebreaker", samples, here)


def test_command_line_writes_record_and_picture(tmp_path, capsys):
    folder = tmp_path / "explored"
    assert main([*ARGUMENTS, "--processes", "2", "-o", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "4 candidates, 4 fit ulx3s_12f" in text and "off by up to" in text
    record = json.loads((folder / "explore.json").read_text())
    assert record["lut_error"] > 0 and len(record["front"]) >= 2
    picture = (folder / "explore.svg").read_bytes()
    assert main([*ARGUMENTS, "-o", str(folder)]) == 0
    assert (folder / "explore.svg").read_bytes() == picture


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explore"], "--board or --device is expected, one of them: what the fabric is for"),
        (["explore", "--board", BOARD, "--device", "LFE5U-12F"], "--board or --device is expected, one of them"),
        ([*ARGUMENTS, "--lanes", "3"], "lanes '3': powers of two are expected, not 3"),
        (["explore", SHIPPED, "--board", BOARD], "--data is missing: the samples whose clocks are to be counted"),
    ],
)
def test_what_the_user_got_wrong_is_one_line(arguments, message, capsys):
    assert refuse(capsys, *arguments).startswith(message)


def test_scheduler_that_does_not_answer_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(explore, "CONNECT_SECONDS", 0.5)
    assert main([*ARGUMENTS, "--scheduler", "tcp://127.0.0.1:1"]) == 2
    error = capsys.readouterr().err
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in error and error.count("\n") == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_dask_cluster_finds_what_this_machine_finds(digits, monkeypatch, tmp_path):
    import distributed

    network, samples = digits
    wanted = explore.candidates([4], [8, 16], [1], [1], ["1x1"])
    local = explore.explore({4: network}, wanted, BOARD, samples, here)
    monkeypatch.setenv("NEUROGEN_CACHE", str(tmp_path / "another"))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        found = explore.explore({4: network}, wanted, BOARD, samples, lambda *job: explore.on_cluster(*job, address))
    assert found == local


def test_task_is_known_by_all_that_it_depends_on(digits):
    network, samples = digits
    task = explore.Task(network, Candidate(4, 8, 1, 1), BOARD, samples.inputs)
    others = [
        explore.Task(network, Candidate(4, 8, 2, 1), BOARD, samples.inputs),
        explore.Task(network, task.candidate, "icebreaker", samples.inputs),
        explore.Task(network, task.candidate, BOARD, {name: np.flip(x, 1) for name, x in samples.inputs.items()}),
    ]
    assert len({item.key for item in [task, *others]}) == 4
