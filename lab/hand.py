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

"""Faults by hand, on the cloud that ``make demo-up`` has left.

    python -m lab.hand kill cmp1

Each command says what it does; --help lists them all.
"""

import argparse
import os
import pathlib
import sys

from lab import cloud as cloud_mod
from lab import process
from lab.demo import settings

HOST_FAULTS = {
    "kill": "crash the operating system; the power stays on",
    "freeze": "stop every process in its tracks (SIGSTOP)",
    "thaw": "let them go on as if no time had gone by",
    "kill-agent": "SIGKILL the agent and keep it dead",
    "revive-agent": "let the agent be started again",
    "kill-compute": "SIGKILL nova-compute; the guests run on",
    "power-on": "press the power button",
    "power-off": "pull the plug",
    "bmc-hang": "the BMC answers nothing any more",
    "bmc-unhang": "it answers again",
    "bmc-password": "change the BMC's password behind nova_ha's back",
    "bmc-password-back": "change it back",
    "slow": "let each guest take 10 s to start on this host",
    "fast": "let them start at once again",
}

SERVER_FAULTS = {
    "zookeeper-stop": "stop the ZooKeeper server",
    "zookeeper-start": "start it again",
    "rabbitmq-stop": "stop the message bus, of Nova too",
    "rabbitmq-start": "start it again",
}

ENGINE_FAULTS = {
    "engine-kill": "SIGKILL an engine, by number",
    "engine-stop": "stop an engine in order, by number, as for an upgrade",
    "engine-start": "start an engine again, by number",
}

FAULTS = HOST_FAULTS | SERVER_FAULTS | ENGINE_FAULTS


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m lab.hand", description=__doc__
    )
    made.add_argument(
        "--state",
        type=pathlib.Path,
        default=os.environ.get("LAB_STATE", settings.STATE),
        help="directory of the cloud (%(default)s)",
    )
    verbs = made.add_subparsers(dest="verb", required=True)
    for verb, text in HOST_FAULTS.items():
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument("target", metavar="HOST")
    for verb, text in SERVER_FAULTS.items():
        verbs.add_parser(verb, help=text, description=text)
    for verb, text in ENGINE_FAULTS.items():
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument("target", metavar="NUMBER", type=int)
    return made


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    given = parser().parse_args(arguments)
    try:
        cloud = cloud_mod.Cloud.load(given.state)
        if given.verb in HOST_FAULTS:
            hurt_host(cloud, given.verb, given.target)
        elif given.verb in SERVER_FAULTS:
            hurt_server(cloud, given.verb)
        else:
            hurt_engine(cloud, given.verb, given.target)
    except process.LabError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    print(f"done: {FAULTS[given.verb]}")
    return 0


def hurt_host(cloud: cloud_mod.Cloud, verb: str, name: str) -> None:
    """:raises lab.process.LabError: there is no such host."""
    try:
        host = cloud.host(name)
    except KeyError:
        names = ", ".join(one.name for one in cloud.hosts)
        raise process.LabError(f"no host {name}; there are {names}") from None
    match verb:
        case "kill-agent":
            host.kill_agent(restart=False)
        case "bmc-hang":
            host.bmc.hang()
        case "bmc-unhang":
            host.bmc.unhang()
        case "bmc-password":
            host.bmc.change_password("another-password")
        case "bmc-password-back":
            host.bmc.change_password(host.bmc.password)
        case "slow" | "fast":
            delay = 10.0 if verb == "slow" else 0.0
            host.machine.turn(spawn_delay=delay)
        case _:
            getattr(host, verb.replace("-", "_"))()


def hurt_server(cloud: cloud_mod.Cloud, verb: str) -> None:
    name, _, deed = verb.partition("-")
    server = cloud.zookeeper if name == "zookeeper" else cloud.rabbitmq
    getattr(server, deed)()


def hurt_engine(cloud: cloud_mod.Cloud, verb: str, number: int) -> None:
    """:raises lab.process.LabError: there is no such engine."""
    if not 1 <= number <= len(cloud.nova_ha.engines):
        raise process.LabError(f"no engine {number}")
    getattr(cloud.engine(number), verb.removeprefix("engine-"))()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
