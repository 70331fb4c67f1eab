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

"""Write the sample configuration, or check that it is up to date.

    python tools/sample_config.py            writes the sample
    python tools/sample_config.py --check    fails if it is stale

The sample holds the options of oslo.log and oslo.messaging as well, because
an operator sets some of them. Their text changes with the releases of these
libraries, so only what comes "From nova_ha" is compared.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
GENERATOR = ROOT / "etc/nova-ha/nova-ha-config-generator.conf"
SAMPLE = ROOT / "etc/nova-ha/nova-ha.conf.sample"

_SECTION = re.compile(r"^\[(?P<name>[^]]+)\]$")
_ORIGIN = re.compile(r"^# From (?P<name>\S+)$")


def generate(target: pathlib.Path) -> None:
    """Run oslo-config-generator, of this interpreter's environment."""
    command = pathlib.Path(sys.executable).parent / "oslo-config-generator"
    subprocess.run(
        [command, f"--config-file={GENERATOR}", f"--output-file={target}"],
        cwd=ROOT,
        # Of libraries that are merely imported on the way.
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=True,
    )


def own_lines(text: str) -> Iterator[str]:
    """Yield the sample's lines that describe options of nova_ha."""
    section, own = "", False
    for line in text.splitlines():
        if match := _SECTION.match(line):
            section, own = match["name"], False
        elif match := _ORIGIN.match(line):
            own = match["name"].startswith("nova_ha")
            if own:
                yield f"[{section}]"
        elif own and line.strip("# "):
            yield line


def check() -> int:
    """Return 0 if the committed sample describes today's options."""
    with tempfile.TemporaryDirectory() as directory:
        fresh = pathlib.Path(directory) / "sample"
        generate(fresh)
        wanted = list(own_lines(fresh.read_text()))
    found = list(own_lines(SAMPLE.read_text())) if SAMPLE.exists() else []
    diff = difflib.unified_diff(
        found, wanted, "committed", "generated", lineterm="", n=1
    )
    difference = "\n".join(diff)
    if difference:
        print(difference)
        print(f"{SAMPLE.relative_to(ROOT)} is stale: run tox -e genconfig")
        return 1
    if not wanted:
        print("The generator knows no option of nova_ha: is it installed?")
        return 1
    print(f"{SAMPLE.relative_to(ROOT)} is up to date")
    return 0


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        return check()
    generate(SAMPLE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
