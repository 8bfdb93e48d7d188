"""The command line as a test calls it."""

from pathlib import Path

from neurogen import cli


def run(capsys, *words: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command line."""
    code = cli.main([str(word) for word in words])
    return code, *capsys.readouterr()


def refuse(capsys, *words: str | Path) -> str:
    """The one line with which a command line is refused."""
    code, out, err = run(capsys, *words)
    assert (code, out) == (1, "")
    assert err.startswith("neurogen: error: ") and err.count("\n") == 1
    return err.removeprefix("neurogen: error: ").rstrip("\n")
