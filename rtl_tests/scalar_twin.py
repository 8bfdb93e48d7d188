"""The neuron equations and the network once more, one neuron at a time, in Python integers and fractions.

Slow, and written from the text of ``neurogen.spec.neurons`` alone: what the golden model is compared with.
"""

from fractions import Fraction
from math import floor, trunc

from neurogen.spec.fixed import Compare, Leak, Overflow, Reset, ResetTiming, Rounding
from neurogen.spec.network import Network

ROUND = {
    Rounding.FLOOR: floor,
    Rounding.TOWARD_ZERO: trunc,
    Rounding.HALF_UP: lambda x: floor(x + Fraction(1, 2)),
}


def bounded(x: int, bits: int, mode: int) -> int:
    top = 2 ** (bits - 1)
    if mode == Overflow.SATURATE:
        return sorted((1 - top, x, top - 1))[1]
    while x >= top:
        x -= 2 * top
    while x < -top:
        x += 2 * top
    return x


def loihi(x: int, bits: int) -> int:
    top = 2 ** (bits - 1)
    return -bounded(-x, bits, Overflow.WRAP) if x % (2 * top) != top else top


def dec(x: int, amount: int, p) -> int:
    return ROUND[p["rounding"]](Fraction(x * (4096 - amount), 4096))


def reached(x: int, p) -> bool:
    return x > p["threshold"] or (p["compare"] == Compare.GE and x == p["threshold"])


def count_down(state, spike, p) -> int:
    return max(p["refractory_ticks"] - 1, 0) if spike else max(state["refractory"] - 1, 0)


def lif(state, p, current, widths):
    v, zero, subtract = state["v"], p["reset"] == Reset.ZERO, p["reset"] == Reset.SUBTRACT
    r = p["reset_timing"] != ResetTiming.SAME_STEP and reached(v, p)
    kept = p["reset_value"] if r and zero else v
    leak = p.get("leak", Leak.NONE)
    if leak == Leak.SHIFT:
        kept -= ROUND[p["rounding"]](Fraction(kept, 2 ** p["leak_shift"]))
    elif leak == Leak.MULTIPLY:
        kept = dec(kept, p["decay"], p)
    x = kept + current * 2 ** p["exponent"] + p["bias"] - (p["threshold"] if r and subtract else 0)
    x = bounded(x, widths["v"], p["overflow"])
    if state["refractory"]:
        x = p["reset_value"]
    s = reached(x, p) and not state["refractory"]
    after = x
    if p["reset_timing"] == ResetTiming.SAME_STEP and s:
        after = p["reset_value"] if zero else x - p["threshold"] if subtract else x
    if p["reset_timing"] == ResetTiming.SNNTORCH_IMMEDIATE:
        after -= (s - r) * (x if zero else p["threshold"] if subtract else 0)
    return {"v": bounded(after, widths["v"], p["overflow"]), "refractory": count_down(state, s, p)}, s


def cuba_lif(state, p, current, widths):
    u, n = state["u"], widths["u"]
    if p["u_overflow"] == Overflow.WRAP and u == -(2 ** (n - 1)):
        u = -u
    u = dec(u, p["decay_u"], p) + current * 2 ** p["exponent"]
    u = loihi(u, n) if p["u_overflow"] == Overflow.WRAP else bounded(u, n, Overflow.SATURATE)
    x = bounded(dec(state["v"], p["decay_v"], p) + u + p["bias"], widths["v"], p["v_overflow"])
    if state["refractory"]:
        x = p["reset_value"]
    s = reached(x, p) and not state["refractory"]
    after = x
    if s:
        after = {Reset.ZERO: p["reset_value"], Reset.SUBTRACT: x - p["threshold"], Reset.NONE: x}[p["reset"]]
    held = {"u": u if u < 2 ** (n - 1) else -u, "v": bounded(after, widths["v"], p["v_overflow"])}
    return held | {"refractory": count_down(state, s, p)}, s


def total(state, p, current, widths):
    v = bounded(current, widths["v"], Overflow.WRAP)
    return {"v": v}, v != 0


STEP = {"lif": lif, "if": lif, "cuba_lif": cuba_lif, "sum": total}


def run(network: Network, sample: dict[str, list[list[int]]]) -> tuple[dict, dict]:
    """One sample, ``sample[input][step][line]``: spikes and membrane potentials, ``[population][step][neuron]``."""
    steps = len(next(iter(sample.values())))
    spikes = {name: [list(map(int, row)) for row in rows] for name, rows in sample.items()}
    spikes |= {name: [] for name in network.order}
    values: dict[str, list] = {name: [] for name in network.order}
    per_neuron = {name: [_neuron(network.population(name), i) for i in range(network.population(name).size)]
                  for name in network.order}  # fmt: skip
    states = {
        name: [{"u": p.get("u_init", 0), "v": p["v_init"], "refractory": 0} for p in parameters]
        for name, parameters in per_neuron.items()
    }
    incoming = {name: [(p, p.dense.tolist()) for p in network.incoming(name)] for name in network.order}
    for step in range(steps):
        for name in network.order:
            population, fired = network.population(name), []
            for target, parameters in enumerate(per_neuron[name]):
                current = 0
                for projection, weights in incoming[name]:
                    if step >= projection.delay:
                        row = spikes[projection.source][step - projection.delay]
                        current += sum(x * weights[i][target] for i, x in enumerate(row))
                state, spike = STEP[population.model](states[name][target], parameters, current, population.widths)
                states[name][target] = state
                fired.append(state["v"] if population.graded else int(spike))
            spikes[name].append(fired)
            values[name].append([state["v"] for state in states[name]])
    return spikes, values


def _neuron(population, index: int) -> dict[str, int]:
    found = {}
    for parameter in population.spec.PARAMETERS:
        value = population.parameter(parameter.name)
        found[parameter.name] = int(value[index]) if getattr(value, "shape", ()) else int(value)
    return found
