"""The link to the host: a UART, frames on it, and words that are neither lost nor repeated (``spec.link``)."""
