"""A script's own functions: what their parameters are called, and what a call gives them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from core.checks.names import CallSite, Function, Names


@dataclass(frozen=True, slots=True)
class Given:
    """What a parameter is given in one call."""

    node: ast.expr
    default: bool = False
    """Whether it is the function's default, which stands outside the call."""
    each: bool = False
    """Whether it is given the items of `node`, one by one."""


def given(function: Function, site: CallSite) -> dict[str, Given]:
    """Parameter to argument of one call; what is not given has its default."""
    found = {name: Given(default, default=True) for name, default in _defaults(function)}
    named = parameters(function)
    positional = named[1:] if named[:1] in (["self"], ["cls"]) else named
    for name, argument in zip(positional, site.arguments, strict=False):
        if isinstance(argument, ast.Starred):
            break
        found[name] = Given(argument, each=site.each)
    return found | {keyword.arg: Given(keyword.value) for keyword in site.keywords if keyword.arg}


def name_of(names: Names, function: Function) -> str:
    """The name under which calls of a function are found; a constructor's is its class's."""
    if isinstance(function, ast.Lambda):
        return names.lambdas.get(function, "")
    owner = names.scopes[function].owner
    if function.name == "__init__" and isinstance(owner, ast.ClassDef):
        return owner.name
    return function.name


def parameters(function: Function) -> list[str]:
    """The names of the parameters that take one argument each."""
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in listed]


def gathered(function: Function) -> set[str]:
    """The names of those that take all the rest."""
    arguments = (function.args.vararg, function.args.kwarg)
    return {argument.arg for argument in arguments if argument}


def _defaults(function: Function) -> Iterator[tuple[str, ast.expr]]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = positional[len(positional) - len(arguments.defaults) :]
    pairs = [
        *zip(given, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return ((argument.arg, default) for argument, default in pairs if default is not None)
