"""Every neuron model in hardware computes what golden's code computes, for every state, input and parameter.

Golden's code runs on symbols; the pipeline is unrolled for its latency from any state of its registers, with other
neurons before and behind. A solver finds no difference in the next state or the spike.
"""

import itertools
import tempfile
from pathlib import Path

import pytest
from amaranth.back import rtlil
from bitwuzla import Kind, Option, Options, Parser, Result, TermManager

import golden.neurons
import neurogen.rtl.neurons
from neurogen.spec import neurons
from neurogen.spec.config import NeuronConfig
from rtl_tests.formal.harness import yosys
from rtl_tests.formal.symbolic import Integer, Symbols, paths

TO_SMT = """
read_rtlil block.il
prep -flatten -top top
write_smt2 -stbv block.smt2
"""
REGISTERS = """
read_rtlil block.il
prep -flatten -top top
opt -full
opt_dff
select -write enabled.txt w:enable %co1:+[EN] t:$dffe %i
select -write free.txt t:$*dff* t:$dffe %d
"""
ACCUMULATOR_BITS = 3
STATE_BITS = 4


class Unrolled:
    """A neuron's pipeline over ``latency_cycles`` clocks, and the terms of its ports."""

    def __init__(self, neuron):
        self.terms = TermManager()
        self.symbols = Symbols(self.terms)
        options = Options()
        options.set(Option.PRODUCE_MODELS, True)
        self.parser = Parser(self.terms, options)
        self.neuron = neuron
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "block.il").write_text(rtlil.convert(neuron, name="top", emit_src=False))
            yosys(Path(folder), "to_smt.ys", TO_SMT)
            text = (Path(folder) / "block.smt2").read_text()
        steps = range(neuron.latency_cycles + 1)
        lines = [f"(declare-fun s{i} () |top_s|)" for i in steps]
        lines += [f"(assert (|top_n enable| s{i}))\n(assert (not (|top_n rst| s{i})))" for i in steps]
        lines += [f"(assert (|top_t| s{i} s{i + 1}))" for i in steps[:-1]]
        self.parser.parse(text + "\n".join(lines), True, False)
        self.solver = self.parser.bitwuzla()

    def port(self, name: str, step: int):
        return self.parser.parse_term(f"(|top_n {name}| s{step})")

    def fields(self, name: str, step: int) -> dict[str, Integer]:
        """The fields of a structured port."""
        found = {}
        for field, place in getattr(self.neuron, name).shape():
            if place.width:
                bits = self.terms.mk_term(
                    Kind.BV_EXTRACT, [self.port(name, step)], [place.offset + place.width - 1, place.offset]
                )
                found[field] = Integer(self.symbols, bits) if place.shape.signed else self.symbols.unsigned(bits)
            else:
                found[field] = self.symbols.integer(0)
        return found

    def differs(self, x: Integer, y: Integer):
        width = max(x.width, y.width)
        return self.terms.mk_term(Kind.DISTINCT, [self.symbols.extend(x, width), self.symbols.extend(y, width)])

    def equals(self, x: Integer, value: int):
        return self.terms.mk_term(Kind.NOT, [self.differs(x, self.symbols.integer(value))])

    def any_of(self, claims: list):
        return self.terms.mk_term(Kind.OR, claims)

    def as_bool(self, term):
        """A port of one bit, which yosys gives as a truth value."""
        return term if term.sort().is_bool() else self.symbols.truth(self.symbols.unsigned(term))

    def finds(self, *claims) -> bool:
        """Whether all of ``claims`` can hold at once."""
        self.solver.push(1)
        for claim in claims:
            self.solver.assert_formula(claim)
        result = self.solver.check_sat()
        self.solver.pop(1)
        assert result in (Result.SAT, Result.UNSAT), f"the solver gave up: {result}"
        return result is Result.SAT


def prove_equal(model: str, neuron, modes: dict[str, int], unrolled: Unrolled | None = None) -> None:
    """Prove that ``neuron`` does what golden's ``model`` does where the enumerated parameters are ``modes``."""
    unrolled = unrolled or Unrolled(neuron)
    symbols, last = unrolled.symbols, neuron.latency_cycles
    tabled = unrolled.fields("parameters", 0)
    limits = {p.name: p.maximum for p in neurons.model(model).PARAMETERS if p.maximum is not None and p.name in tabled}
    assumed = [unrolled.equals(tabled[name], value) for name, value in modes.items() if name in tabled]
    assumed += [symbols.truth(tabled[name] <= most) for name, most in limits.items()]
    parameters = {**neuron.config.constants, **tabled, **modes}
    state, current = unrolled.fields("state", 0), Integer(symbols, unrolled.port("current", 0))
    step = golden.neurons.model(model).step
    after, spike = unrolled.fields("next_state", last), unrolled.port("spike", last)
    spikes = set()
    for ways, (expected, fires) in paths(symbols, lambda: step(state, parameters, current, neuron.config.widths)):
        fires = symbols.integer(fires)
        differences = [unrolled.differs(after[name], expected[name]) for name in after]
        differences.append(unrolled.terms.mk_term(Kind.DISTINCT, [symbols.truth(fires), unrolled.as_bool(spike)]))
        assert not unrolled.finds(*assumed, *ways, unrolled.any_of(differences)), (
            f"{model} differs from golden: {modes}"
        )
        spikes |= {way for way in (False, True) if unrolled.finds(*assumed, *ways, unrolled.equals(fires, way))}
    assert spikes == {False, True}, f"{model} never fires or never rests, so nothing was proved: {modes}"


def narrow(model: str, bits: int = STATE_BITS) -> NeuronConfig:
    """Narrow registers; every parameter is a per-neuron table, so one circuit has every mode."""
    spec = neurons.model(model)
    state_bits = {state.name: bits for state in spec.STATE if not state.fixed and state.signed}
    tables = {parameter.name: "per_neuron" for parameter in spec.PARAMETERS}
    return NeuronConfig.parse({"model": model, "state_bits": state_bits, "parameters": tables})


def folded(model: str, modes: dict[str, int], bits: int = STATE_BITS) -> NeuronConfig:
    """The same with ``modes`` folded into logic."""
    config = narrow(model, bits).model_dump()
    return NeuronConfig.parse({**config, "parameters": config["parameters"] | modes})


def mode_sets(model: str) -> list[dict[str, int]]:
    """Every combination of the enumerated parameters' values."""
    choices = {p.name: [int(choice) for choice in p.choices] for p in neurons.model(model).PARAMETERS if p.choices}
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def pairwise(model: str) -> list[dict[str, int]]:
    """Combinations in which every pair of values of two enumerated parameters occurs."""
    candidates = mode_sets(model)
    pairs = [set(itertools.combinations(modes.items(), 2)) for modes in candidates]
    missing, chosen = set().union(*pairs), []
    while missing:
        best = max(range(len(candidates)), key=lambda i: len(pairs[i] & missing))
        chosen.append(candidates[best])
        missing -= pairs[best]
    return chosen


def neuron(model: str, config: NeuronConfig):
    return neurogen.rtl.neurons.model(model).Neuron(config, ACCUMULATOR_BITS)


@pytest.mark.parametrize("model", neurons.models())
def test_neuron_equals_golden(model):
    unrolled = Unrolled(neuron(model, narrow(model)))
    for modes in pairwise(model):
        prove_equal(model, unrolled.neuron, modes, unrolled)


@pytest.mark.parametrize("model", neurons.models())
def test_neuron_with_folded_modes_equals_golden(model):
    for modes in pairwise(model)[:1]:
        prove_equal(model, neuron(model, folded(model, modes)), modes)


@pytest.mark.deep
@pytest.mark.parametrize("model", neurons.models())
def test_wide_neuron_equals_golden_in_every_mode(model):
    for modes in mode_sets(model):
        prove_equal(model, neuron(model, folded(model, modes, bits=8)), modes)


@pytest.mark.parametrize("model", neurons.models())
def test_neuron_stands_still_without_enable(model):
    """No register of the pipeline is without the enable."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "block.il").write_text(rtlil.convert(neuron(model, narrow(model)), name="top", emit_src=False))
        yosys(Path(folder), "registers.ys", REGISTERS)
        assert (Path(folder) / "enabled.txt").read_text()
        assert not (Path(folder) / "free.txt").read_text()
