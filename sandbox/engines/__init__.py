"""Engines: the ways in which walls are put up."""
