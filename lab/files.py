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

"""Small files of the lab: written whole or not at all, readable by us only."""

import json
import os
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

#: Sections of an oslo.config file; a list value is a repeated option.
Ini = Mapping[str, Mapping[str, object]]


def write(path: pathlib.Path, text: str, mode: int = 0o600) -> None:
    """Replace ``path`` by ``text`` so that a reader sees old or new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def write_json(path: pathlib.Path, value: object) -> None:
    """Replace ``path`` by ``value`` as JSON."""
    write(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """The JSON object in ``path``; empty when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{path} does not hold a JSON object")
    return value


def render_ini(sections: Ini) -> str:
    """An oslo.config file's text."""
    lines: list[str] = []
    for section, options in sections.items():
        lines.append(f"[{section}]")
        for name, value in options.items():
            values = value if isinstance(value, list) else [value]
            lines += [f"{name} = {one}" for one in values]
        lines.append("")
    return "\n".join(lines)


def write_ini(path: pathlib.Path, sections: Ini) -> pathlib.Path:
    """Replace ``path`` by an oslo.config file; returns the path."""
    write(path, render_ini(sections))
    return path
