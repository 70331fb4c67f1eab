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

"""What a ClusterLabs fence agent says about itself.

An agent prints its parameters as XML. They become parameters of
``fencing.yaml``, so that a wrong name, type or choice is found when the file
is loaded, and passwords are known for what they are. What would weaken the
proof of a fence, or let a password out, is barred.
"""

import dataclasses
import difflib
import functools
import os
import re
import stat
from collections.abc import Collection, Iterable
from xml.etree import ElementTree

from nova_ha import exception
from nova_ha.fencing import child
from nova_ha.fencing import parameters as params

TIMEOUT = 10.0
"""Seconds that an agent may take to describe itself: most are Python, and
take a third of one."""

PACKAGE = "the package fence-agents"

_OURS = "it is nova_ha that decides what the agent has to do"
_NO_WORK = "the agent would do nothing else"
_LEAKS = "what the agent writes then may hold the password"
_BARRED = {
    "action": _OURS,
    "option": _OURS,
    "method": "a host is switched off and seen off, never cycled",
    "delay": "the power-off would come long after the last look whether the "
    "host is alive",
    "network_fencing": "cut from the network is not off: the host's instances "
    "run on",
    "missing_as_off": "what is not there would be taken for off, and that "
    "for proof",
    "debug": _LEAKS,
    "debug_file": _LEAKS,
    "verbose": _LEAKS,
    "verbose_level": _LEAKS,
    "quiet": "its errors would not be seen",
    "help": _NO_WORK,
    "usage": _NO_WORK,
    "version": _NO_WORK,
}
_NEEDED = {
    "systems_uri": "Without it fence_redfish takes the last of several "
    "systems.",
}
"""What an agent leaves open and must not: which machine is meant."""

_EXPOSING = {
    "amttool_path": "amttool",
    "lanplus": "ipmitool",
    "snmp_version": "the SNMP tools",
    "vmware_type": "vmrun",
}
"""Parameters by which agents are known that start other programs with the
password among their arguments (fence-agents 4.12). A program of ours in the
place of theirs would help nothing: it would get the same arguments."""

_NO_PROOF = {
    "crosscableip": "calls a host off that does not answer pings",
    "instance_filtering": "asks Nova, and calls a host off whose service is "
    "down and disabled",
    "sbd_path": "leaves the host a message on a disk, and calls it off from "
    "then on",
    "status_file": "keeps the state in a file of this machine",
}
"""Parameters by which agents are known whose ``off`` says nothing of the
power (fence-agents 4.12), and what it says."""

_SUSPENDED_IS_OFF = frozenset(
    ["fence_amt", "fence_skalar", "fence_vmware_rest", "fence_vmware_soap"]
)
"""Agents that nothing in their metadata betrays (fence-agents 4.12)."""

_SCRIPT = re.compile(r"_script$|^exec$|^runon")
_SECRET = re.compile(
    r"pass(wd|word|phrase)|secret|token|api_?key|access_key|community|_kg$"
)
_FILE = re.compile(r"_(file|path)$")
_KINDS = {
    "boolean": params.Kind.BOOLEAN,
    "integer": params.Kind.INTEGER,
    "second": params.Kind.INTEGER,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """One parameter as the agent describes it."""

    name: str
    kind: str
    required: bool
    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    replaced_by: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Metadata:
    """What an agent says about itself.

    :ivar cuts_power: whether ``off`` switches power, rather than cutting the
        host from a network or a storage while its guests run on.
    """

    parameters: tuple[Described, ...]
    actions: frozenset[str]
    cuts_power: bool

    @property
    def exposing(self) -> str:
        """The program that would show the password, or nothing."""
        names = {each.name for each in self.parameters}
        return next((_EXPOSING[n] for n in sorted(names & {*_EXPOSING})), "")

    @property
    def no_proof(self) -> str:
        """Why ``off`` does not mean that the power is off, or nothing."""
        by_name = {each.name: each for each in self.parameters}
        missing = by_name.get("missing_as_off")
        if missing is not None and missing.default == "1":
            return "calls a host off that it does not find"
        return next((_NO_PROOF[n] for n in by_name if n in _NO_PROOF), "")

    def schema(
        self, taken: Collection[str], scripts: bool
    ) -> tuple[params.Parameter, ...]:
        """The parameters for ``fencing.yaml``.

        :param taken: names that have another meaning there.
        :param scripts: whether those that run a script may be set.
        """
        secrets = {each.name for each in self.parameters if _is_secret(each)}
        hidden = {f"{name}_{end}" for name in secrets for end in _SOURCES}
        return tuple(
            _parameter(each, scripts)
            for each in self.parameters
            if each.name not in hidden and each.name not in taken
        )


_SOURCES = ("file", "env")  # see params.Parameter


def find(agent: str, directories: Iterable[str]) -> str:
    """The path of an agent.

    :raises ValueError: it is not there, or others than root could have put
        it there: it gets passwords.
    """
    paths = [os.path.join(each, agent) for each in directories]
    path = next((each for each in paths if os.path.exists(each)), "")
    if not path:
        raise ValueError(_missing(agent, directories))
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) or not os.access(path, os.X_OK):
        raise ValueError(f"{path} is not a program")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ValueError(f"{path} can be changed by others than its owner")
    return path


def _missing(agent: str, directories: Iterable[str]) -> str:
    installed = {
        name
        for each in directories
        if os.path.isdir(each)
        for name in os.listdir(each)
        if name.startswith("fence_")
    }
    close = difflib.get_close_matches(agent, installed, 1)
    hint = f"did you mean {close[0]}?" if close else f"install {PACKAGE}"
    return f"there is no {agent} in {', '.join(directories)}; {hint}"


def read(path: str) -> Metadata:
    """What the agent says about itself; asked once for each version of it.

    :raises ValueError: it says nothing that makes sense, or it is no agent
        that can prove that a host is off.
    """
    status = os.stat(path)
    return _read(path, status.st_ino, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=128)
def _read(path: str, *_version: int) -> Metadata:
    name = os.path.basename(path)
    program = child.Program(name, PACKAGE)
    try:
        ended = program.run([path], TIMEOUT, text="action=metadata\n")
    except exception.DeviceError as error:
        raise ValueError(
            f"{name} gives no metadata: {error.problem}"
        ) from None
    metadata = parse(ended.output, name)
    missing = {"off", "status"} - metadata.actions
    if missing:
        raise ValueError(
            f"{name} has no action {' and no '.join(sorted(missing))}: it "
            "cannot prove that a host is off"
        )
    if not metadata.cuts_power:
        raise ValueError(
            f"{name} cuts a host from its network or storage, and leaves its "
            "instances running: that is no power-off"
        )
    if name in _SUSPENDED_IS_OFF:
        raise ValueError(
            f"{name} calls a suspended machine off, which can wake up: that "
            "proves nothing"
        )
    if metadata.no_proof:
        raise ValueError(f"{name} {metadata.no_proof}: that proves nothing")
    return metadata


def parse(text: str, name: str) -> Metadata:
    """Metadata from XML.

    :raises ValueError: it is no metadata of a fence agent.
    """
    try:
        # From a program of this machine, which gets the passwords too.
        root = ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError:
        raise ValueError(f"{name} gives no metadata: not XML") from None
    if root.tag != "resource-agent":
        raise ValueError(f"{name} gives no metadata of a fence agent")
    found = [each for each in root.iter("parameter") if each.get("name")]
    renamed = {each.get("obsoletes"): each.get("name", "") for each in found}
    actions = {each.get("name", ""): each for each in root.iter("action")}
    on = actions.get("on")
    return Metadata(
        parameters=tuple(_described(each, renamed) for each in found),
        actions=frozenset(actions),
        cuts_power=on is None or on.get("automatic") != "1",
    )


def _described(
    element: ElementTree.Element, renamed: dict[str | None, str]
) -> Described:
    name = element.get("name", "")
    content = element.find("content")
    if content is None:
        content = ElementTree.Element("content")
    text = element.findtext("shortdesc") or "See the manual of the agent."
    return Described(
        name=name,
        kind=content.get("type", "string"),
        required=element.get("required") == "1",
        help=" ".join(text.split()),
        default=content.get("default", ""),
        choices=tuple(
            each.get("value", "") for each in content.iter("option")
        ),
        replaced_by=renamed.get(name, ""),
    )


def _is_secret(described: Described) -> bool:
    name = described.name
    return bool(
        described.kind == "string"
        and _SECRET.search(name)
        and not _SCRIPT.search(name)
        and not _FILE.search(name)
    )


def _parameter(described: Described, scripts: bool) -> params.Parameter:
    kind = _KINDS.get(described.kind, params.Kind.TEXT)
    barred = _why_barred(described, scripts)
    needed = described.name in _NEEDED
    return params.Parameter(
        name=described.name,
        help=_NEEDED.get(described.name, described.help),
        kind=params.Kind.SECRET if _is_secret(described) else kind,
        required=(described.required or needed) and not barred,
        minimum=0 if described.kind == "second" else None,
        choices=described.choices,
        barred=barred,
    )


def _why_barred(described: Described, scripts: bool) -> str:
    if described.name in _BARRED:
        return f"must not be set: {_BARRED[described.name]}"
    if described.replaced_by:
        return f"is an old name: write {described.replaced_by}"
    if _SCRIPT.search(described.name) and not scripts:
        return (
            "would run a program of its own choice, as the engine's user; "
            "set allow_scripts: true if that is meant"
        )
    return ""
