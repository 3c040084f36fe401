"""The code keeps its size: small functions, small modules, and a word on what each module is about."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import expathub

PACKAGE = Path(expathub.__file__).parent
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
FUNCTION_LINES_MEDIAN = 7


def modules() -> dict[str, str]:
    """Return every module's text by its path in the package."""
    return {str(file.relative_to(PACKAGE)): file.read_text("utf-8") for file in sorted(PACKAGE.rglob("*.py"))}


def functions() -> Iterator[tuple[str, int]]:
    """Yield every function with its length in lines, without its docstring."""
    for name, text in modules().items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                described = ast.get_docstring(node) is not None
                docstring = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if described else 0
                yield f"{name}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1 - docstring


def test_no_module_is_long() -> None:
    assert [] == [name for name, text in modules().items() if len(text.splitlines()) > MODULE_LINES_MAX]


def test_no_function_is_long_and_most_are_short() -> None:
    lengths = dict(functions())

    assert [] == [name for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX]
    assert median(lengths.values()) <= FUNCTION_LINES_MEDIAN
