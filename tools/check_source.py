# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Check what no linter checks: licence headers, and sizes.

A function of more than 50 lines wants to be two, and a file of more than 400
is named so that its next change may split it; 600 is the end. The lines of a
docstring count for the file, not for its function: they explain, they do not
complicate.
"""

import ast
import pathlib
import subprocess
import sys
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_LINES = 400
FILE_LINES_LIMIT = 600
FUNCTION_LINES = 50
HEADER = "Licensed under the Apache License, Version 2.0"
HEADER_WITHIN = 5

# Product and tests alike; a measurement or a page of documentation may be
# longer.
SIZED = ("nova_ha/", "tests/", "lab/", "tools/")


def sources() -> Iterator[pathlib.Path]:
    """Yield the source files git knows, or would know."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in sorted(filter(None, listed.split("\0"))):
        path = ROOT / name
        if path.suffix in (".py", ".sh") and path.is_file():
            yield path


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(node, clean=False) is None:
        return 0
    first = node.body[0]
    return (first.end_lineno or first.lineno) - first.lineno + 1


def long_functions(tree: ast.AST) -> Iterator[tuple[int, str, int]]:
    """Yield line, name and length of each function that is too long."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        length -= _docstring_lines(node)
        if length > FUNCTION_LINES:
            yield node.lineno, node.name, length


def problems(path: pathlib.Path) -> Iterator[str]:
    """Yield what is wrong with a file, as ``file:line: message``."""
    name = str(path.relative_to(ROOT))
    text = path.read_text()
    lines = text.splitlines()
    if lines and not any(HEADER in line for line in lines[:HEADER_WITHIN]):
        yield f"{name}:1: no licence header"
    if not name.startswith(SIZED):
        return
    if len(lines) > FILE_LINES_LIMIT:
        yield f"{name}:1: {len(lines)} lines, at most {FILE_LINES_LIMIT}"
    elif len(lines) > FILE_LINES:
        print(f"{name}: {len(lines)} lines, more than {FILE_LINES}")
    if path.suffix == ".py":
        for line, function, length in long_functions(ast.parse(text)):
            yield (
                f"{name}:{line}: {function}() has {length} lines, "
                f"at most {FUNCTION_LINES}"
            )


def main() -> int:
    found = [problem for path in sources() for problem in problems(path)]
    print("\n".join(found) or "Headers and sizes are fine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
