"""Proofs that take longer than CI has are marked ``deep`` and run by ``pytest rtl_tests/formal -m deep`` only."""

from pathlib import Path


def pytest_configure(config):
    config.addinivalue_line("markers", "deep: a proof that takes minutes to hours")


def pytest_collection_modifyitems(config, items):
    if config.option.markexpr:
        return
    here = Path(__file__).parent
    deep = [item for item in items if item.get_closest_marker("deep") and here in item.path.parents]
    items[:] = [item for item in items if item not in deep]
    config.hook.pytest_deselected(items=deep)
