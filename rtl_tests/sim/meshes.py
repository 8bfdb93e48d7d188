"""Flits for routers without cores, and a slow, obvious model of where they go."""

import numpy as np

from neurogen.spec import packet
from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.packet import Kind
from neurogen.spec.topologies import mesh
from neurogen.spec.topologies.mesh import Direction


def config_of(width: int, height: int, queue_depth: int = 2, **core) -> FabricConfig:
    """A mesh of the smallest cores whose flits still carry 16 bits that a test can number."""
    core = {"axons": 4, "neurons": 4, "lanes": 4, "banks": 1, "update_lanes": 1, "delay_slots": 4} | core
    return FabricConfig(width=width, height=height, lines=2048, queue_depth=queue_depth, core=CoreConfig(**core))


def random_flit(config: FabricConfig, rng, source: int, number: int) -> tuple[int, list[int]]:
    """A flit whose data say where it comes from and its number, and the ends where it must arrive."""
    data = source << 11 | number
    if source < config.nodes and rng.random() < 0.3:
        return packet.to_host(config)[Kind.REPLY].pack(kind=Kind.REPLY, host=1, data=data), [config.nodes]
    x0, x1 = np.sort(rng.integers(0, config.width, 2))
    y0, y1 = np.sort(rng.integers(0, config.height, 2))
    if rng.random() < 0.2:
        x0, x1, y0, y1 = 0, config.width - 1, 0, config.height - 1
    where = {"x0": int(x0), "x1": int(x1), "y0": int(y0), "y1": int(y1)}
    flit = packet.to_core(config)[Kind.WRITE].pack(kind=Kind.WRITE, host=0, data=data, **where)
    return flit, [i for i, (x, y) in enumerate(mesh.nodes(config)) if x0 <= x <= x1 and y0 <= y <= y1]


def path(config: FabricConfig, source: int, targets: list[int]) -> set[tuple[int, Direction]]:
    """Every (node, port of departure) of one flit: along the row first, then along each column, hop by hop."""
    nodes = mesh.nodes(config)
    start = 0 if source == config.nodes else source
    steps = set()
    for target in targets:
        (x, y), (to_x, to_y) = nodes[start], nodes[0] if target == config.nodes else nodes[target]
        while x != to_x:
            steps.add((nodes.index((x, y)), Direction.E if to_x > x else Direction.W))
            x += 1 if to_x > x else -1
        while y != to_y:
            steps.add((nodes.index((x, y)), Direction.S if to_y > y else Direction.N))
            y += 1 if to_y > y else -1
        steps.add((nodes.index((x, y)), Direction.N if target == config.nodes else Direction.L))
    return steps
