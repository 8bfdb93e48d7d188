"""What core and router take, and the clocks of a tick, do not get worse unnoticed; the router is routed.

``docs/bench.csv`` has what earlier commits took; ``neurogen bench core smallest router --history docs/bench.csv`` adds
this one. Clocks after routing depend on seeds: they are printed, and have to be plausible.
"""

from pathlib import Path

import pytest

from neurogen.flow import bench
from neurogen.flow.bench import history
from neurogen.flow.bench.row import Settings

HISTORY = Path(__file__).resolve().parents[2] / "docs" / "bench.csv"
ROWS = {"core": 0, "smallest": 0, "router": 1}
"""Seeds: 0 is synthesis and packing alone."""


@pytest.mark.parametrize("name", ROWS)
def test_nothing_that_is_the_same_on_every_machine_got_worse(name):
    (found,) = bench.run([name], Settings(seeds=ROWS[name]))
    print(bench.text(found))
    assert found["figures"]["lut"] > 100 and found["figures"]["ff"] > 100
    assert not history.worse(history.load(HISTORY), found)
    if ROWS[name]:
        assert found["figures"]["fmax_mhz"] > 50 and found["critical"]["logic_ns"] > 0
