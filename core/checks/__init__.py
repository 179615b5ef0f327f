"""The review: what a draft will do and what is wrong with it.

Reads; never runs, never changes a byte.
"""
