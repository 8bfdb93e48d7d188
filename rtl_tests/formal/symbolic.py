"""Run golden's own NumPy code on symbols: integers of exact width as bit-vector terms of the Bitwuzla solver.

NumPy hands every function it is asked to apply to an :class:`Integer` back to it (``__array_ufunc__`` and
``__array_function__``), so golden runs unchanged. Every result is as wide as its value needs, hence exact; none may
need more than the 64 bits that golden has. Where the code branches on a symbol, :func:`paths` follows both branches.
"""

from collections.abc import Callable, Iterator

from bitwuzla import Kind, Term, TermManager
from numpy.lib.mixins import NDArrayOperatorsMixin


class Integer(NDArrayOperatorsMixin):
    """A signed integer of ``width`` bits; a truth value is 0 or 1."""

    def __init__(self, solver: "Symbols", term: Term):
        self.solver = solver
        self.term = term
        self.width = term.sort().bv_size()
        assert self.width <= 64, "golden's int64 could overflow"

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return self.solver.apply(ufunc.__name__, *inputs)

    def __array_function__(self, function, types, inputs, options):
        return self.solver.apply(function.__name__, *inputs)

    def __bool__(self):
        return self.solver.decide(self)

    def any(self):
        return self != 0


class Symbols:
    """Makes and combines integers; remembers which way each branch went."""

    def __init__(self, terms: TermManager):
        self.terms = terms
        self.decisions: list[bool] = []
        self.taken: list[tuple[Integer, bool]] = []

    def integer(self, value) -> Integer:
        if isinstance(value, Integer):
            return value
        value = int(value)
        width = value.bit_length() + 1
        return Integer(self, self.terms.mk_bv_value(self.terms.mk_bv_sort(width), value % (1 << width)))

    def unsigned(self, term: Term) -> Integer:
        return Integer(self, self.terms.mk_term(Kind.BV_ZERO_EXTEND, [term], [1]))

    def decide(self, condition: Integer) -> bool:
        step = len(self.taken)
        way = self.decisions[step] if step < len(self.decisions) else False
        self.taken.append((condition, way))
        return way

    def extend(self, x: Integer, width: int) -> Term:
        return self.terms.mk_term(Kind.BV_SIGN_EXTEND, [x.term], [width - x.width]) if width > x.width else x.term

    def truth(self, x: Integer) -> Term:
        """``x`` as a Boolean term."""
        return self.terms.mk_term(Kind.DISTINCT, [x.term, self.terms.mk_bv_zero(x.term.sort())])

    def apply(self, name: str, *inputs) -> Integer:
        """The NumPy function ``name``."""
        values = [self.integer(value) for value in inputs]
        return getattr(self, f"_{name}")(*values)

    def _binary(self, kind: Kind, x: Integer, y: Integer, width: int) -> Integer:
        return Integer(self, self.terms.mk_term(kind, [self.extend(x, width), self.extend(y, width)]))

    def _add(self, x, y):
        return self._binary(Kind.BV_ADD, x, y, max(x.width, y.width) + 1)

    def _subtract(self, x, y):
        return self._binary(Kind.BV_SUB, x, y, max(x.width, y.width) + 1)

    def _multiply(self, x, y):
        return self._binary(Kind.BV_MUL, x, y, x.width + y.width)

    def _bitwise_and(self, x, y):
        return self._binary(Kind.BV_AND, x, y, max(x.width, y.width))

    def _right_shift(self, x, y):
        return self._binary(Kind.BV_ASHR, x, y, max(x.width, y.width))

    def _left_shift(self, x, y):
        most = y.term.value(10) if y.term.is_value() else (1 << (y.width - 1)) - 1
        return self._binary(Kind.BV_SHL, x, y, max(x.width + int(most), y.width))

    def _choice(self, condition: Term, x, y):
        width = max(x.width, y.width)
        return Integer(self, self.terms.mk_term(Kind.ITE, [condition, self.extend(x, width), self.extend(y, width)]))

    def _compare(self, kind: Kind, x, y):
        width = max(x.width, y.width)
        holds = self.terms.mk_term(kind, [self.extend(x, width), self.extend(y, width)])
        return self._choice(holds, self.integer(1), self.integer(0))

    def _where(self, condition, x, y):
        return self._choice(self.truth(condition), x, y)

    def _minimum(self, x, y):
        return self._where(self._less(x, y), x, y)

    def _maximum(self, x, y):
        return self._where(self._less(x, y), y, x)

    def _clip(self, x, low, high):
        return self._minimum(self._maximum(x, low), high)

    def _less(self, x, y):
        return self._compare(Kind.BV_SLT, x, y)

    def _less_equal(self, x, y):
        return self._compare(Kind.BV_SLE, x, y)

    def _greater(self, x, y):
        return self._compare(Kind.BV_SGT, x, y)

    def _greater_equal(self, x, y):
        return self._compare(Kind.BV_SGE, x, y)

    def _equal(self, x, y):
        return self._compare(Kind.EQUAL, x, y)

    def _not_equal(self, x, y):
        return self._compare(Kind.DISTINCT, x, y)


def paths(symbols: Symbols, function: Callable) -> Iterator[tuple[list[Term], object]]:
    """Every way through ``function``: what must hold for it, and what the function returns then."""
    waiting: list[list[bool]] = [[]]
    while waiting:
        symbols.decisions, symbols.taken = waiting.pop(), []
        result = function()
        known = len(symbols.decisions)
        ways = [way for _, way in symbols.taken]
        waiting += [[*ways[:step], True] for step in range(known, len(ways))]
        holds = [(symbols.truth(condition), way) for condition, way in symbols.taken]
        yield [term if way else symbols.terms.mk_term(Kind.NOT, [term]) for term, way in holds], result
