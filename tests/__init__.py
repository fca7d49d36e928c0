"""Tests, flat: one file a module."""
