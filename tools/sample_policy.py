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

"""Write the sample of policy.yaml, or check that it is up to date.

python tools/sample_policy.py            writes the sample
python tools/sample_policy.py --check    fails if it is stale
"""

import difflib
import pathlib
import sys
import tempfile

from oslo_config import cfg
from oslo_policy import generator

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "etc/nova-ha/policy.yaml.sample"

_HEAD = """\
# Who may do what by way of the message bus ([rpc] enabled in nova-ha.conf).
# All rules are shown as they are without this file: write only those that
# you want otherwise, in policy.yaml beside the engines' nova-ha.conf. A
# change takes effect at once.

"""


def generate(target: pathlib.Path) -> str:
    """Run oslopolicy-sample-generator; returns the sample."""
    arguments = ["--namespace", "nova_ha", "--output-file", str(target)]
    generator.generate_sample(arguments, cfg.ConfigOpts())
    return _HEAD + target.read_text().rstrip("\n") + "\n"


def check(fresh: str) -> int:
    """Return 0 if the committed sample holds today's rules."""
    found = SAMPLE.read_text() if SAMPLE.exists() else ""
    name = SAMPLE.relative_to(ROOT)
    diff = difflib.unified_diff(
        found.splitlines(), fresh.splitlines(), "committed", "generated", n=1
    )
    if found != fresh:
        print("\n".join(diff))
        print(f"{name} is stale: run tox -e genconfig")
        return 1
    print(f"{name} is up to date")
    return 0


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        fresh = generate(pathlib.Path(directory) / "sample")
    if sys.argv[1:] == ["--check"]:
        return check(fresh)
    SAMPLE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
