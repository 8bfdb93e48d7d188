"""The command line: verbs over one project configuration. Each verb imports what it needs when it runs.

Exit codes: 0 ok; 1 the user's input is at fault (one line); 2 a tool failed; 3 a check failed; 130 interrupted.
"""

import functools
import importlib.util
import json
import shlex
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from . import __version__
from .project import (
    BenchOptions,
    BoardOptions,
    DataOptions,
    ExploreOptions,
    ImportOptions,
    Project,
    QuantiseOptions,
    SizeOptions,
    SweepOptions,
    load,
    value_of,
)
from .spec.config import Config
from .spec.errors import CheckError, InputError, ToolError

LOG_LINES = 10
OURS = ("golden", "boards")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code. Never raises for what a user, a tool or a check does."""
    try:
        _refuse_foreign_packages()
        words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
        return build_parser().main(words, prog_name="neurogen", standalone_mode=False) or 0
    except (InputError, click.ClickException) as error:
        return _fail(1, error.format_message() if isinstance(error, click.ClickException) else str(error))
    except ToolError as error:
        return _fail(2, str(error), *_tail(error.log))
    except CheckError as error:
        return _fail(3, str(error))
    except (KeyboardInterrupt, click.Abort):
        return _fail(130, "interrupted; the same command goes on from here")
    except BrokenPipeError:  # the reader of our output has left: nothing is wrong
        sys.stdout = None
        return 0
    except OSError as error:
        return _fail(1, f"{error.filename}: {error.strerror}" if error.filename else str(error))


def build_parser() -> click.Group:
    """The command line as an object, which documentation and tests read."""
    group = click.Group(
        "neurogen",
        help="From a trained spiking neural network to digital hardware that is proved to compute it.",
        params=[click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version)],
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for verb in (
        build,
        check,
        report,
        view,
        quantize,
        explore,
        bench,
        simulate,
        verify,
        flash,
        run,
        update,
        boards,
        neurons,
        encoders,
        schema,
        doctor,
    ):
        group.add_command(verb)
    return group


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"neurogen {__version__}")
        context.exit()


def _fail(code: int, *lines: str) -> int:
    first, *rest = lines
    click.echo("\n".join([f"neurogen: error: {first}", *rest]), err=True)
    return code


def _tail(log: Path | None) -> list[str]:
    """Where a tool's log is, and how it ends."""
    if log is None:
        return []
    with log.open(errors="replace") as lines:
        return [f"log: {log}", *(f"  {line.rstrip()}" for line in deque(lines, LOG_LINES))]


def _refuse_foreign_packages() -> None:
    """Raise InputError where a folder of the user's hides one of our two top-level packages."""
    home = Path(__file__).resolve().parents[1]
    for name in OURS:
        spec = importlib.util.find_spec(name)
        folders = [Path(folder).resolve() for folder in (spec and spec.submodule_search_locations) or ()]
        if folders and folders[0] != home / name:
            raise InputError(
                f"{folders[0]} hides neurogen's own package {name!r}; rename it or run neurogen in another directory"
            )


# Flags are made from the fields of Project, so that each has a key in the project file and one description.


Verb = Callable[[Project], int | None]


def _verb(*keys: str, arguments: Sequence[str] = ("network",)) -> Callable[[Verb], click.Command]:
    """Make a verb of a function of the project; it offers the project's ``keys`` as flags, ``arguments`` without."""

    def decorate(function: Verb) -> click.Command:
        @functools.wraps(function)
        def run(**given: Any) -> int | None:
            values = {key: given[_identifier(key)] for key in (*keys, *arguments)}
            values |= dict(_setting(text) for text in given["set"])
            said = {key: value for key, value in values.items() if value not in (None, ())}
            return function(load(given["config"], said))

        parameters: list[click.Parameter] = [_argument(key) for key in arguments]
        parameters += [_option(key) for key in keys]
        parameters += [
            click.Option(["-c", "--config"], type=click.Path(path_type=Path), help="project file (TOML)"),
            click.Option(["-P", "--set"], multiple=True, metavar="KEY=VALUE", help="any key of the project file"),
        ]
        return click.Command(function.__name__, callback=run, params=parameters, help=function.__doc__)

    return decorate


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set: KEY=VALUE is expected, not {text!r}")
    return key.strip(), value_of(value.strip())


def _identifier(key: str) -> str:
    return key.replace(".", "__")


def _field(key: str) -> FieldInfo:
    """The project's field of a key."""
    owner: type[Config] = Project
    *tables, name = key.split(".")
    for table in tables:
        owner = next(f.annotation for n, f in owner.model_fields.items() if (f.alias or n) == table)
    return next(f for n, f in owner.model_fields.items() if (f.alias or n) == name)


def _argument(key: str) -> click.Argument:
    """One key of the project, given without a flag; several values where it holds several."""
    several = get_origin(_field(key).annotation) is tuple
    name = key.rpartition(".")[2].upper()
    return click.Argument([_identifier(key)], required=False, nargs=-1 if several else 1, metavar=name)


def _option(key: str) -> click.Option:
    """The flag of one key of the project."""
    field, name = _field(key), key.rpartition(".")[2]
    declarations = [f"--{name.replace('_', '-')}", _identifier(key)]
    if name == "output":
        declarations.insert(0, "-o")
    return click.Option(declarations, default=None, help=field.description, **_kind(field.annotation))


def _kind(annotation: Any) -> dict[str, Any]:
    """How click parses a value of a field's type."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = get_args(annotation)[0]
    if annotation is bool:
        return {"is_flag": True, "flag_value": True}
    if get_origin(annotation) is tuple:
        return {"multiple": True, **_kind(get_args(annotation)[0])}
    if get_origin(annotation) is Literal:
        return {"type": click.Choice(get_args(annotation))}
    return {"type": annotation}


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on the terminal, as a function of (done, total); silent where there is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(project: Project, record: Any, text: str) -> None:
    """Print a result: as JSON where that was asked for, else as text."""
    click.echo(json.dumps(record, indent=2) if project.as_json else text.rstrip("\n"))


IMPORT = [f"import.{key}" for key in ImportOptions.model_fields]
QUANTISE = [f"quantise.{key}" for key in QuantiseOptions.model_fields if key != "weight_bits_of"]
SIZE = [f"size.{key}" for key in SizeOptions.model_fields if key not in ("name", "weight_bits", "encoder_parameters")]
TARGET = (*IMPORT, *QUANTISE, *SIZE)
BOARD = [f"target.{key}" for key in BoardOptions.model_fields]
DATA = [f"data.{key}" for key in DataOptions.model_fields]
EXPLORE = [f"explore.{key}" for key in ExploreOptions.model_fields]
BENCH = [f"bench.{key}" for key in BenchOptions.model_fields if key != "rows"]
SWEEP = [f"sweep.{key}" for key in SweepOptions.model_fields]


def _target(project: Project):
    """What a verb works on: NETWORK read, in integers and mapped, or the build directory that it names."""
    from .flow.target import resolve

    options = {
        "import": project.importing.model_dump(),
        "quantise": project.quantise.model_dump(),
        "size": project.size.model_dump(),
        "fabric": project.fabric,
        "seed": project.seed,
        "mapping": project.mapping.model_dump(),
        "binning": _binning(project),
    }
    if project.target.board:
        options["fit"] = _fit(project)
    return resolve(project.network, options)


def _fit(project: Project):
    """What chooses a fabric for the project's board."""
    from .flow import fit

    wanted = _on_board().board(project.target.board, _path(project.target.boards_dir))
    return lambda network, wishes: fit.fit(network, wishes, wanted, project.target.board, project.target.optimize)


def _on_board():
    """The package of boards. Raises ToolError if what it stands on is not installed."""
    try:
        import boards
    except ImportError as error:
        raise ToolError(f"boards need the package {error.name}; pip install 'neurogen[boards]' brings it") from None
    return boards


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _binning(project: Project):
    """How samples are read."""
    from .host.data import Binning

    return Binning(**project.data.model_dump())


def _shown(project: Project, target):
    """The samples that pictures and reports show; None where there are none."""
    path = project.mapping.data or target.samples
    return target.read(path, _binning(project)) if path else None


@_verb(*TARGET, *BOARD, *DATA, "mapping.data", "json")
def check(project: Project) -> int:
    """Print what would be built of NETWORK, or every problem found; write nothing."""
    from . import plan

    try:
        target = _target(project)
    except InputError:
        directory = project.network is not None and Path(project.network).is_dir()
        found = plan.problems(project) if project.fabric and not directory else []
        if len(found) < 2:
            raise
        return _fail(1, f"{len(found)} problems", *(f"  {problem}" for problem in found))
    _print(project, plan.record(target), plan.text(target))
    return 0


@_verb(*TARGET, *BOARD, *DATA, "mapping.data", "output", "seed", "json")
def build(project: Project) -> None:
    """Write Verilog of NETWORK and everything beside it into a build directory; with --board, a bitstream too."""
    from . import plan
    from .flow.build import build as run

    target, finish = _target(project), None
    with _stages() as stage:
        if project.target.board:
            _on_board()
            from .flow import on_board

            wanted = on_board.Wanted(project.target.board, _path(project.target.boards_dir), project.target.seeds)
            finish = on_board.implement(target, wanted, project.seed, stage)
        found = run(target, project.output and Path(project.output), seed=project.seed, finish=finish)
    record = {"directory": str(found.directory), "summary": found.summary, "manifest": found.manifest}
    _print(project, record, "\n\n".join([plan.text(target), *_bitstream(found.summary), f"written: {found.directory}"]))


def _bitstream(summary: dict[str, Any]) -> list[str]:
    """What a bitstream takes and reaches, if there is one."""
    if "bitstream" not in summary:
        return []
    from .flow.families import RESOURCES

    found = summary["bitstream"]
    used = ", ".join(
        f"{found['used'][kind]:,} of {found['available'][kind]:,} {title}"
        for kind, title in RESOURCES.items()
        if found["available"].get(kind)
    )
    speeds = ", ".join(f"{item['fmax_mhz']:.1f} MHz with seed {item['seed']}" for item in found["seeds"])
    return [f"{found['board']} ({found['device']}): {used}\nclock {found['clock_mhz']:.2f} MHz; reached: {speeds}"]


@contextmanager
def _stages() -> Iterator[Callable[[str], None]]:
    """What is being done, on the terminal, as a function of a sentence; plain lines where there is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: click.echo(text, err=True)
        return
    with console.status("build") as status:
        yield lambda text: status.update(text)


@_verb(*TARGET, *DATA, "mapping.data", "report.engine", "output", "json")
def report(project: Project) -> None:
    """Write the report of a build anew, with what other samples show; that of a network file into the directory -o."""
    from .flow import report as reports

    target = _target(project)
    if project.output is None and target.directory is None:
        raise InputError("-o is missing: the directory for the report of a network file")
    folder = Path(project.output) if project.output else target.directory / "report"
    samples = _shown(project, target)
    if project.report.engine and samples is None:
        raise InputError("--data is missing: the samples whose clocks are to be measured")
    found = reports.make(target, samples)
    if project.report.engine:
        clocks = reports.simulated(target, _path(project.mapping.data), project.report.engine, _binning(project))
        found.summary["measured"]["clocks"]["simulated"] = clocks
    reports.renew(folder, found)
    _print(project, found.summary, f"{reports.text(found)}\nwritten: {folder / reports.PAGE}")


@_verb(*TARGET, *DATA, "mapping.data", "view.what", "view.sample", "view.output")
def view(project: Project) -> None:
    """Draw NETWORK: the mesh with its populations and traffic, or the spikes of one sample."""
    from .flow import measure
    from .flow import view as pictures
    from .host import data

    wanted = project.view
    if wanted.output is None:
        raise InputError("-o is missing: the picture to write, .svg, .png or .pdf")
    kind, target = pictures.format_of(Path(wanted.output)), _target(project)
    samples = _shown(project, target)
    if wanted.what == "mapping":
        figure = pictures.mapping(target.image, samples and measure.run(target.image, samples.inputs))
    else:
        figure = pictures.sample(target.network, samples, wanted.sample)
    data.replace(Path(wanted.output), pictures.rendered(figure, kind))
    click.echo(f"written: {wanted.output}")


@_verb("flash.dry_run", "flash.permanent", "target.boards_dir")
def flash(project: Project) -> None:
    """Load the bitstream of a build directory onto its board, and the image that it boots from, if it does."""
    from .flow.flash import commands
    from .flow.flash import flash as run

    known = _on_board()
    from .flow.on_board import packed as find

    name, bitstream = find(Path(project.network or "build/digits"))
    for words in commands(known.board(name, _path(project.target.boards_dir)), bitstream, project.flash.permanent):
        if not project.flash.dry_run:
            run(words)
        click.echo(shlex.join(words) if project.flash.dry_run else f"loaded: {words[-1]}")


@_verb(*IMPORT, *QUANTISE, "json", arguments=("output", "network"))
def update(project: Project) -> None:
    """Put the integers of NETWORK into the finished bitstream in the build directory OUTPUT."""
    _on_board()
    from .flow import on_board
    from .flow.build import build as run
    from .flow.target import resolve

    if project.output is None or project.network is None:
        raise InputError("update needs a build directory and a network: neurogen update DIR NETWORK")
    old = resolve(Path(project.output))
    options = {"import": project.importing.model_dump(), "quantise": project.quantise.model_dump()}
    new = resolve(project.network, options | {"fabric": old.config})
    seed = json.loads((old.directory / "manifest.json").read_text())["seed"]
    found = run(new, old.directory, seed=seed, finish=on_board.exchange(old, new))
    record = {"directory": str(found.directory), "summary": found.summary, "manifest": found.manifest}
    _print(project, record, f"updated: {found.directory}")


@_verb("target.boards_dir", "json", arguments=())
def boards(project: Project) -> None:
    """List the boards: device, what it has, clock, link, and the fabric of the shipped network that suits it."""
    _on_board()
    from . import catalog
    from .flow.on_board import table

    rows = table(_path(project.target.boards_dir))
    notes = [f"{row['board']}: {row['note']}" for row in rows if row["note"]]
    shown = [{key: value for key, value in row.items() if key != "note"} for row in rows]
    _print(project, rows, "\n".join([catalog.text_table(shown), "", *notes]))


@_verb(*TARGET, *DATA, "simulate.input", "simulate.output", "simulate.engine", "simulate.decide", "seed", "json")
def simulate(project: Project) -> None:
    """Run samples through NETWORK; every engine writes the same outputs."""
    from .flow.simulate import simulate as run

    target, wanted = _target(project), project.simulate
    samples = wanted.input or target.samples
    if samples is None:
        raise InputError("--input is missing: the samples that are to run")
    output = wanted.output and Path(wanted.output)
    with _progress(f"simulate ({wanted.engine})") as progress:
        found = run(
            target,
            Path(samples),
            output,
            wanted.engine,
            project.seed,
            wanted.decide,
            progress,
            binning=_binning(project),
        )
    record, lines = _outcome(found, wanted.output)
    _print(project, record, "\n".join([f"{found.samples} samples by {wanted.engine}", *lines]))


def _outcome(found: Any, output: str | None) -> tuple[dict[str, Any], list[str]]:
    """What samples gave, as a record and as lines of text."""
    record = {
        "samples": found.samples,
        "spikes": {name: int(spikes.sum()) for name, spikes in found.spikes.items()},
        "values": list(found.values),
        "correct": found.correct,
        "accuracy": found.accuracy,
        "output": output,
        "notes": list(found.notes),
    }
    lines = [*found.notes, *(f"{name}: {count} spikes" for name, count in record["spikes"].items())]
    lines += [f"{name}: values" for name in found.values]
    if found.correct is not None:
        lines.append(f"accuracy: {found.accuracy:.2%} ({found.correct} of {found.samples})")
    return record, lines + ([f"written: {output}"] if output else [])


@_verb(*TARGET, *DATA, "run.port", "run.baud", "run.input", "run.output", "run.decide", "json")
def run(project: Project) -> None:
    """Run samples on the board that holds NETWORK, a build directory; the same outputs as simulate."""
    from .flow.run import run as on_board

    target, wanted = _target(project), project.run
    samples = wanted.input or target.samples
    if wanted.port is None:
        raise InputError("--port is missing: the board's serial port, socket://HOST:PORT, or sim")
    if samples is None:
        raise InputError("--input is missing: the samples that are to run")
    output = wanted.output and Path(wanted.output)
    with _progress(f"run ({wanted.port})") as progress:
        found, took = on_board(
            target, wanted.port, Path(samples), output, wanted.baud, wanted.decide, progress, binning=_binning(project)
        )
    record, lines = _outcome(found, wanted.output)
    speed = took.samples_per_second
    record["board"] = vars(took.board) | {"build": f"{took.board.build:016x}"}
    record["throughput"] = {**vars(took), "board": took.board.device, "samples_per_second": speed}
    lines.append(f"board: {took.board.device}, {took.board.clock_hz / 1e6:g} MHz, build {took.board.build:016x}")
    if speed is not None:
        lines.append(f"throughput: {speed:.1f} samples per second ({took.samples} samples in {took.seconds:.1f} s)")
    if took.damaged or took.resent:
        lines.append(f"line: {took.damaged} frames came damaged, words were sent again {took.resent} times")
    _print(project, record, "\n".join([f"{found.samples} samples on {wanted.port}", *lines]))


@_verb(*TARGET, *DATA, "verify.input", "verify.samples", "verify.simulators", "verify.allow_silent", "seed", "json")
def verify(project: Project) -> None:
    """Simulate the generated Verilog and compare every spike, state and counter of every tick with the model."""
    from .flow.verify import verify as run

    target, wanted = _target(project), project.verify
    samples = Path(wanted.input) if wanted.input else None
    with _progress("verify") as progress:
        found = run(
            target,
            samples,
            wanted.simulators,
            wanted.samples,
            project.seed,
            wanted.allow_silent,
            progress,
            binning=_binning(project),
        )
    record = [
        {
            "simulator": item.simulator,
            "clocks": item.clocks,
            "seconds": item.seconds,
            **vars(item.statistics),
            "notes": list(item.notes),
        }
        for item in found
    ]
    lines = [
        f"{item.simulator}: {item.clocks} clocks, {item.clocks / item.seconds:.0f} clocks per second\n{item}"
        for item in found
    ]
    _print(project, record, "\n".join([*found[0].notes, *lines]))


def _source(project: Project, file: str | None, purpose: str):
    """NETWORK as it was trained, how it becomes integers, and the file of its samples: ``file``, or what is shipped.

    Raises InputError where there is none; ``purpose`` says what it is for.
    """
    from . import compiler
    from .flow.target import SHIPPED, SHIPPED_SAMPLES

    samples = file or (None if project.network else SHIPPED_SAMPLES)
    if samples is None:
        raise InputError(f"--data is missing: the samples {purpose}, an .npz or .npy file")
    source = compiler.read(project.network or SHIPPED, compiler.Options(**project.importing.model_dump()))
    return source, compiler.Quantisation(**project.quantise.model_dump()), Path(samples)


@_verb(*IMPORT, *QUANTISE, *DATA, *SWEEP, "output", "json")
def quantize(project: Project) -> None:
    """Try weight widths on samples: what each loses against floating point; write the chosen network of integers.

    With --weight-bits that width is chosen, else the narrowest that is good enough.
    """
    from .flow import sweep, sweep_report
    from .host import data

    wanted = project.sweep
    widths = sweep.parse_widths(wanted.bits)
    source, how, file = _source(project, wanted.data, "to measure on")
    samples = data.read(file, (source.network or source).inputs, _binning(project))
    if wanted.labels:
        samples = sweep.labelled(samples, file, wanted.labels)
    said = how.weight_bits if "weight_bits" in project.quantise.model_fields_set else None
    choice = sweep.Choice(wanted.max_loss, wanted.min_agreement, said)
    folder = Path(project.output or f"build/{source.name}_quantized")
    folder.mkdir(parents=True, exist_ok=True)  # or fail before the work, not after it
    with _progress("quantize") as progress:
        found = sweep.sweep(source, samples, widths, how, choice, wanted.decide, progress)
    written = sweep_report.write(found, folder)
    lines = [sweep_report.table(found), *(f"note: {note}" for note in (*samples.notes, *found.record["notes"]))]
    record = found.record | {"written": [str(path) for path in written]}
    _print(project, record, "\n".join([*lines, *(f"written: {path}" for path in written)]))


@_verb(*IMPORT, *QUANTISE, *DATA, *EXPLORE, "target.board", "output", "json")
def explore(project: Project) -> None:
    """Sweep lanes, banks, bits and cores of a fabric for NETWORK on a device; find and draw the Pareto front."""
    _on_board()
    from .flow import explore as design_space
    from .flow import sweep
    from .host import data

    wanted = project.explore
    if (project.target.board is None) == (wanted.device is None):
        raise InputError("--board or --device is expected, one of them: what the fabric is for")
    board = project.target.board or design_space.board_of(wanted.device)
    source, how, file = _source(project, wanted.data, "whose clocks are to be counted")
    networks = design_space.networks(source, how, sweep.parse_widths(wanted.bits))
    samples = data.read(file, next(iter(networks.values())).inputs, _binning(project))
    found_of = design_space.candidates(
        list(networks),
        *(design_space.parse_numbers(getattr(wanted, key), key) for key in ("lanes", "banks", "update_lanes")),
        wanted.cores.split(","),
    )
    start = functools.partial(design_space.locally, processes=wanted.processes)
    if wanted.scheduler:
        start = functools.partial(design_space.on_cluster, address=wanted.scheduler)
    with _progress("explore") as progress:
        found = design_space.explore(networks, found_of, board, samples, start, wanted.synthesis, progress)
    written = design_space.write(found, Path(project.output or f"build/{found.network}_explored"))
    record = found.record | {"written": [str(path) for path in written]}
    _print(project, record, "\n".join([design_space.table(found), *(f"written: {path}" for path in written)]))


@_verb(*BENCH, "json", arguments=("bench.rows",))
def bench(project: Project) -> None:
    """Measure ROWS of the performance table on this machine, or all of them but those that take long."""
    _on_board()
    from .flow import bench as table
    from .flow.bench import history

    wanted = project.bench
    settings, commit = table.Settings(wanted.seeds, _path(wanted.material)), history.commit(Path.cwd())
    found = []
    with _stages() as stage:
        for record in table.run(wanted.rows, settings, wanted.full, stage):
            found.append(record)
            if wanted.record:
                history.merge(Path(wanted.record), [record], table.rows())
            if wanted.history:
                history.append(Path(wanted.history), [record], commit)
            if not project.as_json:
                click.echo(table.text(record))
    if project.as_json:
        _print(project, found, "")


@_verb("json", arguments=())
def neurons(project: Project) -> None:
    """List the neuron models: equation, registers, parameters."""
    from . import catalog

    models = catalog.neuron_models()
    _print(project, models, "\n\n".join(map(catalog.text, models)))


@_verb("json", arguments=())
def encoders(project: Project) -> None:
    """List the encoders of pixels: equation, parameters."""
    from . import catalog

    found = catalog.pixel_encoders()
    _print(project, found, "\n\n".join(map(catalog.text, found)))


@_verb(arguments=())
def schema(_project: Project) -> None:
    """Print the JSON schema of the project file."""
    click.echo(json.dumps(Project.model_json_schema(by_alias=True), indent=2))


@_verb("json", arguments=())
def doctor(project: Project) -> int:
    """Try every tool; say what is missing and how to get it."""
    from . import catalog
    from .doctor import can_build, examine

    findings = list(examine())
    rows = [
        {
            "tool": finding.name,
            "for": finding.purpose,
            "works": "yes" if finding.works else "NO",
            "version": finding.version,
            "how to get it": "" if finding.works else finding.advice,
        }
        for finding in findings
    ]
    ready = can_build(findings)
    verdict = "build can work" if ready else "build cannot work"
    _print(project, {"tools": [vars(f) for f in findings], "build": ready}, f"{catalog.text_table(rows)}\n\n{verdict}")
    return 0 if ready else 1
