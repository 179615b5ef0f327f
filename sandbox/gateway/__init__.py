"""The AWS gateway as a library: identify, judge by a callable, rebuild, answer.

Its process is core/gateway_main.py.
"""

from sandbox.gateway.identify import identify

__all__ = ["identify"]
