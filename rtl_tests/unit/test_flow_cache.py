"""Cached folders are whole or not there, whatever happens meanwhile."""

import threading

import numpy as np
import pytest

from neurogen.flow import cache


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROGEN_CACHE", str(tmp_path))


def test_an_entry_is_made_once():
    made = []

    def make(folder):
        made.append(folder)
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("x")

    first, second = cache.entry("kind", "k" * 64, make), cache.entry("kind", "k" * 64, make)
    assert first == second and (first / "sub" / "file").read_text() == "x" and len(made) == 1


@pytest.mark.parametrize("damage", [lambda f: f.write_text("y"), lambda f: f.unlink()])
def test_a_damaged_entry_is_made_again(damage):
    def make(folder):
        (folder / "file").write_text("x")

    assert cache.find("kind", "k" * 64) is None
    folder = cache.entry("kind", "k" * 64, make)
    assert cache.find("kind", "k" * 64) == folder
    damage(folder / "file")
    assert cache.find("kind", "k" * 64) is None
    assert (cache.entry("kind", "k" * 64, make) / "file").read_text() == "x"


def test_a_failure_leaves_nothing(tmp_path):
    def make(folder):
        (folder / "file").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.entry("kind", "k" * 64, make)
    assert list((tmp_path / "kind").iterdir()) == []


def test_two_runs_at_once_get_one_entry(tmp_path):
    barrier, found = threading.Barrier(2), []

    def make(folder):
        barrier.wait(timeout=10)
        (folder / "file").write_text("x")

    threads = [threading.Thread(target=lambda: found.append(cache.entry("kind", "k" * 64, make))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] and [path.name for path in (tmp_path / "kind").iterdir()] == ["k" * 40]


def test_parts_of_a_digest_do_not_run_together():
    assert cache.digest("ab", "c") != cache.digest("a", "bc")


def test_contents_differ_in_every_part():
    ones = np.ones((2, 3), dtype=np.uint8)
    values = [ones, ones.T, ones.astype(np.int64), [ones], [ones, ones], {"a": ones}, {"b": ones}, 1, "1", (1, 1), 11]
    assert len({cache.content(value) for value in values}) == len(values)
    assert cache.content({"a": 1, "b": ones}) == cache.content({"b": ones.copy(), "a": 1})
