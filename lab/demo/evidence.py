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

"""The raw evidence, and what it says."""

import contextlib
import json
import pathlib
import shutil

from lab import cloud as cloud_mod
from lab import process
from lab import witness

README = """What the demo left behind, so that anyone can recompute its result.

guests/*.journal      the guests' writers: seconds (monotonic), host, boot,
                      run, line number; python -m lab.witness guests
                      finds every guest that ran on two hosts at once
bmc/*.jsonl           what each BMC was asked and answered
nova-api-calls.jsonl  every state-changing request to nova-api, with times
cases/*.json          the recovery cases as nova_ha reports them
log/                  logs of the engines, of the agents and of Nova
result.json           the line that the demo printed
"""


def collect(cloud: cloud_mod.Cloud, out: pathlib.Path) -> None:
    """Copy it all to ``out``, which is made anew."""
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / "README").write_text(README)
    state = cloud.state_dir
    shutil.copytree(cloud.journals, out / "guests")
    for name, pattern in {
        "bmc": "hosts/*/bmc/transcript.jsonl",
        ".": "log/nova-api-calls.jsonl",
        "log": "log/nova-*.log",
    }.items():
        (out / name).mkdir(exist_ok=True)
        for path in sorted(state.glob(pattern)):
            _copy(path, state, out / name)
    _keep_cases(cloud, out / "cases")
    for host in cloud.hosts:
        log = host.log_path("nova-ha-agent")
        if log.exists():
            shutil.copy(log, out / "log" / f"nova-ha-agent-{host.name}.log")


def _keep_cases(cloud: cloud_mod.Cloud, folder: pathlib.Path) -> None:
    folder.mkdir()
    with contextlib.suppress(process.LabError):
        known = cloud.nova_ha.cli("case", "list", "--all", "-f", "json")
        for one in json.loads(known):
            case = one["Case"]
            shown = cloud.nova_ha.cli("case", "show", case, "-f", "json")
            (folder / f"{case}.json").write_text(shown)


def _copy(
    path: pathlib.Path, state: pathlib.Path, folder: pathlib.Path
) -> None:
    relative = path.relative_to(state)
    prefix = f"{relative.parts[1]}-" if relative.parts[0] == "hosts" else ""
    shutil.copy(path, folder / f"{prefix}{path.name}")


def double_active(cloud: cloud_mod.Cloud) -> list[witness.Overlap]:
    """Guests that ran on two hosts at the same time."""
    return list(witness.examine(cloud.journals).overlaps)
