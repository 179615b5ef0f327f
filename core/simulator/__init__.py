"""Embedded AWS: accounts described by world files, answered by moto behind an overlay of ours."""
