"""Names that are legal wherever a name can end up."""

import re


def legal_name(name: str, prefix: str) -> str:
    """``name`` as a readable identifier: letters, digits and underscores, beginning with a letter (else ``prefix``)."""
    clean = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    return clean if clean[:1].isalpha() else f"{prefix}{'_' if clean else ''}{clean}"
