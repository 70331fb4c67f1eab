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

"""The trace that a scenario is known to have, beside its script."""

import difflib
import os
from collections.abc import Iterator, Sequence

from nova_ha import exception
from nova_ha.sim import script_file

FILE = "trace.txt"


def path(file: str) -> str:
    """Where the trace of a script is kept: ``trace.txt`` in the folder of a
    scenario, and ``NAME.trace.txt`` beside any other script."""
    folder, base = os.path.split(file)
    if base == script_file.FILE:
        return os.path.join(folder, FILE)
    return f"{os.path.splitext(file)[0]}.{FILE}"


def write(file: str, lines: Sequence[str]) -> bool:
    """Keep the trace of a script.

    :returns: whether it was another one before.
    :raises ConfigError: it cannot be written.
    """
    if not differences(file, lines):
        return False
    try:
        with open(path(file), "w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise exception.ConfigError(
            path(file), f"cannot be written: {error.strerror}"
        ) from None
    return True


def differences(file: str, lines: Sequence[str]) -> list[str]:
    """Compare with the trace that is kept, as a unified diff; what is not
    there counts as empty."""
    kept = list(_kept(path(file)))
    return list(
        difflib.unified_diff(
            kept, list(lines), path(file), "this run", lineterm="", n=2
        )
    )


def _kept(name: str) -> Iterator[str]:
    try:
        with open(name, encoding="utf-8") as stream:
            yield from stream.read().splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise exception.ConfigError(name, f"cannot be read: {error}") from None
