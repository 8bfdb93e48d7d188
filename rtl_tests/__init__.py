"""Tests. They use every package; nothing imports them."""
