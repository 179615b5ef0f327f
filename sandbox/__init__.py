"""Runs one job in isolation; knows bytes and AWS calls, nothing of sessions, policies or models."""
