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
"""ipmi_sim's hand on the machine.

ipmi_sim runs this at each look at the power and at each change of it:
``... DIRECTORY DEVICE get power`` prints ``power:0`` or ``power:1``;
``... DIRECTORY DEVICE set power 0|1`` and ``set reset 1`` print nothing.
Other values than the power (the boot device) it answers with nothing.
"""

import pathlib
import sys

from lab.bmc import faults

_VERBS = {("power", "0"): "off", ("power", "1"): "on", ("reset", "1"): "reset"}


def main(arguments: list[str]) -> int:
    """Answer; returns the exit status."""
    directory, _device, verb, *rest = arguments
    controller = faults.Controller(pathlib.Path(directory))
    if verb == "get":
        return _get(controller, rest)
    status = 0
    for name, value in zip(rest[::2], rest[1::2], strict=True):
        change = _VERBS.get((name, value))
        if change is None:
            continue
        controller.note(f"set {name} {value}", "received")
        if not controller.change_power(change):
            controller.note(f"set {name} {value}", "refused")
            print("refused")
            status = 1
    return status


def _get(controller: faults.Controller, names: list[str]) -> int:
    for name in names:
        if name == "power":
            answer = f"power:{int(controller.read_power())}"
            controller.note("get power", answer)
            print(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
