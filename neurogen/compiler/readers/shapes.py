"""The shape of what every node of a graph puts out, as far as it can be told."""

import math
from collections import deque

import numpy as np

from ...spec.errors import InputError
from .graph import Graph, blamed

LARGEST = 1 << 24
"""Values that one node may put out."""

Shape = tuple[int, ...]
Pattern = tuple[int | None, ...]


def shapes(graph: Graph, input_shape: Shape | None = None) -> dict[str, Shape]:
    """Shapes by node, found from the inputs on; what no input reaches speaks for itself.

    ``input_shape`` is that of the only input, where the user says it. Raises InputError if there is more than one.
    """
    inputs = graph.of_kind("Input")
    if input_shape is not None and len(inputs) != 1:
        raise InputError(f"--input-shape is for networks with one input; this one has {', '.join(inputs)}")
    found = {node: input_shape or _input_shape(graph, node) for node in inputs}
    queue = deque(after for node in inputs for after in graph.after[node])
    while queue or (queue := deque(_lonely(graph, found))):
        node = queue.popleft()
        shape = None if node in found else _shape(graph, node, taken(graph, node, found))
        if shape is not None:
            found[node] = shape
            queue.extend(graph.after[node])
    for node in graph.of_kind("neuron"):
        found.setdefault(node, (1,))
    return found


def taken(graph: Graph, node: str, known: dict[str, Shape]) -> Shape | None:
    """The shape that reaches a node, in the form that it takes; maps are preferred to what is flat."""
    reaching = [known[before] for before in graph.before[node] if before in known]
    shape = max(reaching, key=len, default=None)
    pattern = _takes(graph, node)
    if pattern is None or len(pattern) < 2:
        return shape
    if shape is None:
        return None if None in pattern else pattern
    fitting = fitted(shape, pattern)
    if fitting is None:
        raise InputError(
            f"node {node!r} takes maps of {_by(pattern)}, but {_by(shape)} reaches it; --input-shape says"
            " (channels,rows,columns) where the input does not"
        )
    return fitting


def fitted(shape: Shape, pattern: Pattern) -> Shape | None:
    """``shape`` in the form of ``pattern``, or None where it has none: leading ones come and go, known maps unfold."""
    if len(pattern) == 1:
        return shape if math.prod(shape) == pattern[0] else None
    if None not in pattern and math.prod(shape) == math.prod(pattern):
        return pattern
    while len(shape) > len(pattern) and shape[0] == 1:
        shape = shape[1:]
    if len(shape) == len(pattern) - 1:
        shape = (1, *shape)
    fits = len(shape) == len(pattern) and all(want in (None, is_) for want, is_ in zip(pattern, shape, strict=True))
    return shape if fits else None


def _lonely(graph: Graph, found: dict[str, Shape]):
    """The first node whose own arrays tell its shape although nothing known reaches it."""
    for node in graph.nodes:
        if node not in found and _shape(graph, node, None) is not None:
            yield node
            return


def _takes(graph: Graph, node: str) -> Pattern | None:
    if graph.kinds[node] not in ("map", "delay"):
        return None
    with blamed(node):
        return graph.primitive(node).takes(graph.nodes[node])


def _shape(graph: Graph, node: str, reaching: Shape | None) -> Shape | None:
    kind, record = graph.kinds[node], graph.nodes[node]
    if kind in ("Output", "Port"):
        return reaching
    if kind == "neuron":
        return _neuron_shape(graph, node, reaching)
    with blamed(node):
        shape = graph.primitive(node).shape(record, reaching)
        if shape is not None and math.prod(shape) > LARGEST:
            raise InputError(f"it puts out {_by(shape)} values, more than {LARGEST}")
    return shape


def own_shape(graph: Graph, node: str) -> Shape:
    """The shape of a neuron's arrays together; () where all of them are single numbers."""
    record = graph.nodes[node]
    found = {np.shape(record[key]) for key in graph.primitive(node).SHAPED if np.size(record.get(key, 0)) > 1}
    if found and len({math.prod(shape) for shape in found}) == 1:
        return max(found, key=len)
    try:
        return np.broadcast_shapes(*found)
    except ValueError:
        sizes = ", ".join(_by(shape) for shape in sorted(found))
        raise InputError(f"node {node!r}: its parameters have different sizes, {sizes}") from None


def _neuron_shape(graph: Graph, node: str, reaching: Shape | None) -> Shape | None:
    own = own_shape(graph, node)
    if reaching is None:
        return own or None
    per_channel = len(reaching) == 3 and own in ((reaching[0],), (reaching[0], 1, 1))
    if own == () or per_channel or (math.prod(own) == math.prod(reaching) and len(reaching) >= len(own)):
        return reaching
    return own


def _input_shape(graph: Graph, node: str) -> Shape:
    """The shape of an input; leading batch and time dimensions are dropped where its consumer takes fewer values."""
    values = np.ravel(graph.nodes[node]["shape"])
    if values.dtype.kind not in "iuf" or not np.all((values >= 1) & (values < np.inf) & (values == np.round(values))):
        raise InputError(f"node {node!r}: shape {values} is no shape; --input-shape says it")
    shape = tuple(int(extent) for extent in values) or (1,)
    wanted = _wanted(graph, node)
    spare = len(shape) - len(wanted) if wanted else -1
    fitting = (fitted(shape[at:], wanted) for at in range(max(spare, 0) + 1)) if wanted else ()
    shape = next((found for found in fitting if found is not None), shape)
    if math.prod(shape) > LARGEST:
        raise InputError(f"node {node!r} has {_by(shape)} inputs, more than {LARGEST}")
    return shape


def _wanted(graph: Graph, node: str) -> Pattern | None:
    """What the first node after ``node`` that does not take just anything takes."""
    queue, seen = deque([node]), set()
    while queue:
        for after in graph.after[queue.popleft()]:
            if after in seen:
                continue
            seen.add(after)
            if graph.kinds[after] == "neuron":
                own = own_shape(graph, after)
                pattern = (math.prod(own),) if own else None
            else:
                pattern = _takes(graph, after)
            if pattern is not None:
                return pattern
            if graph.kinds[after] != "neuron":
                queue.append(after)
    return None


def _by(shape: Pattern) -> str:
    return " x ".join("?" if extent is None else str(extent) for extent in shape)
