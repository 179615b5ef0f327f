"""Saved scripts with parameters, triggers and conclusions, and the planner that needs no model."""
