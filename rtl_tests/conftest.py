"""Rules for every rung: a skip must be expected.

On a laptop what stands beside the project and the optional second simulator may be missing; under CI nothing may.
A plain ``pytest`` allows any skip, ``--strict-skips`` (what ``make test`` passes) makes an unexpected one a failure.
"""

import os

import pytest

CI = os.environ.get("CI") == "true"
EXPECTED_SKIPS = () if CI else ("../shared/", "Icarus")


def pytest_addoption(parser):
    parser.addoption("--strict-skips", action="store_true", default=CI, help="an unexpected skip is a failure")


def _refuse_skip(report, config):
    """Turn a report of an unexpected skip into one of a failure."""
    if not report.skipped or hasattr(report, "wasxfail") or not config.getoption("--strict-skips"):
        return
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if not reason.startswith(EXPECTED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"unexpected skip: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    _refuse_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    _refuse_skip(report, collector.config)
    return report
