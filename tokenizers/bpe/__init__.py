"""Learned vocabularies: what often stands together becomes one id."""
