"""Networks as files of other formats, one module each. ``spec.Network.save`` writes the project's own."""
