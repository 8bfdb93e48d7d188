"""What exists, as data and as text: the command line, the documentation and JSON all show this."""

from typing import Any

from .spec import encoders, neurons


def neuron_models() -> list[dict[str, Any]]:
    """Every neuron model with its equation, registers and parameters."""
    return [_neuron(model) for model in neurons.models().values()]


def _neuron(model) -> dict[str, Any]:
    widths = {state.name: state.bits for state in model.STATE}
    return {
        "name": model.NAME,
        "summary": model.SUMMARY,
        "source": model.SOURCE,
        "equation": model.EQUATION,
        "state": [{"name": state.name, "bits": state.bits, "meaning": state.doc} for state in model.STATE],
        "parameters": [
            {
                "name": parameter.name,
                "values": _values(parameter, widths),
                "default": _default(parameter),
                "meaning": parameter.doc,
            }
            for parameter in model.PARAMETERS
        ],
    }


def _values(parameter: neurons.Parameter, widths: dict[str, int]) -> str:
    if parameter.choices:
        return ", ".join(choice.name.lower() for choice in parameter.choices)
    low, high = parameter.field(widths).range
    return f"{low}..{high if parameter.maximum is None else min(high, parameter.maximum)}"


def _default(parameter: neurons.Parameter) -> str:
    return parameter.choices(parameter.default).name.lower() if parameter.choices else str(parameter.default)


def pixel_encoders() -> list[dict[str, Any]]:
    """Every encoder of pixels with its equation and parameters."""
    return [
        {
            "name": encoder.NAME,
            "summary": encoder.SUMMARY,
            "equation": encoder.EQUATION,
            "events": "payloads" if encoder.GRADED else "spikes",
            "parameters": [
                {
                    "name": parameter.name,
                    "values": f"{parameter.low}..{parameter.high}",
                    "default": str(parameter.default),
                    "meaning": parameter.doc,
                }
                for parameter in encoder.PARAMETERS
            ],
        }
        for encoder in encoders.encoders().values()
    ]


def text_table(rows: list[dict[str, Any]]) -> str:
    """Rows of equal keys as aligned columns under a heading."""
    columns = list(rows[0])
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in columns}
    lines = [{key: key for key in columns}, *rows]
    return "\n".join("  ".join(f"{line[key]!s:<{widths[key]}}" for key in columns).rstrip() for line in lines)


def markdown_table(rows: list[dict[str, Any]]) -> str:
    """The same as a Markdown table."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([str(row[key]) for key in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(record: dict[str, Any]) -> str:
    """One neuron model or encoder for a terminal."""
    equation = "\n".join(f"  {line}" for line in record["equation"].splitlines())
    tables = "\n\n".join(text_table(record[key]) for key in ("state", "parameters") if record.get(key))
    return f"{record['name']}: {record['summary']}\n\n{equation}\n\n{tables}\n"


def neuron_markdown(record: dict[str, Any]) -> str:
    """The generated part of one neuron model's page."""
    tables = "\n\n".join(markdown_table(record[key]) for key in ("state", "parameters") if record[key])
    return f"```\n{record['equation']}```\n\nSource: {record['source']}.\n\n{tables}\n"


def encoder_markdown(record: dict[str, Any]) -> str:
    """One encoder's section of the page of encoders."""
    table = markdown_table(record["parameters"])
    return f"## {record['name']}\n\n{record['summary']}\n\n```\n{record['equation']}```\n\n{table}\n"
