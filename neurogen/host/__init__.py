"""The host's side: words to and from a fabric, and the files that users keep samples in."""
