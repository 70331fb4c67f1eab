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

"""Any ClusterLabs fence agent (Debian: ``fence-agents``) as a device.

The agent gets everything, the password too, as ``key=value`` lines on its
standard input. Its own idea of a fence is not taken for proof: ``action=off``
that says success is an accepted command, and the state is read by another
call, ``action=status``. ``reboot`` and ``cycle`` are never used.

The state counts only if the exit status (0 on, 2 off) and the words
(``Status: OFF``) agree: 2 is also what a Python that cannot find its script
ends with.
"""

import re
from typing import ClassVar
from urllib import parse

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import agent_metadata
from nova_ha.fencing import base
from nova_ha.fencing import child
from nova_ha.fencing import parameters as params

_STATUS = re.compile(r"^Status:\s*(ON|OFF)\s*$", re.I | re.M)
_STATES = {
    (0, "ON"): model.PowerState.ON,
    (2, "OFF"): model.PowerState.OFF,
}
# The command is sent by then, and the state is for us to watch.
_NOT_YET = re.compile(r"Timed out waiting to power (ON|OFF)", re.I)

# What no agent says of a device that merely does not answer: a device that
# rejects its credentials is not asked again.
_CREDENTIALS = re.compile(
    r"\b401 (client|unauthorized)|(status|http)\D{0,9}401\b"
    r"|authentication fail|login (failed|incorrect)"
    r"|(invalid|incorrect|wrong) (user|login|password|credential)"
    r"|have to set login password",
    re.I,
)
_ERRORS: tuple[tuple[re.Pattern[str], type[exception.DeviceError]], ...] = (
    (_CREDENTIALS, exception.DeviceCredentials),
    (
        re.compile(r"\b409 (client|conflict)", re.I),
        exception.DeviceWrongState,
    ),
    (
        re.compile(r"correct privileges|forbidden|not permitted", re.I),
        exception.DeviceRefused,
    ),
    (
        re.compile(r"Unable to (connect|obtain correct plug status)", re.I),
        exception.DeviceUnreachable,
    ),
    (
        re.compile(
            r"Connection (lost|refused|reset)|Max retries exceeded|no route"
            r"|unreachable|could not resolve|name or service not known",
            re.I,
        ),
        exception.DeviceUnreachable,
    ),
    (re.compile(r"timed? ?out", re.I), exception.DeviceTimeout),
)

_LOG_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d [\d:,.]+ [A-Z]+: ")
_NOISE = re.compile(r"^\s|Warning: |^Traceback|^Please use '-h' for usage")
_KEPT_LINES = 3
_KEPT_LETTERS = 300

# Texts that say how to reach a device, rather than which it is.
_NO_ADDRESS = re.compile(
    r"^(user(name)?|login|cipher|disable_timeout|plug_separator|separator)$"
    r"|^(auth|privlvl)$|^snmp_|_path$|_file$|_options$|prompt$|timeout"
    r"|version"
)


class FenceAgentDriver(base.FenceDriver):
    """A fence agent, and the device it speaks to."""

    CAPABILITIES: ClassVar[frozenset[base.Capability]] = frozenset(
        {
            base.Capability.POWER_STATE,
            base.Capability.POWER_OFF,
            base.Capability.POWER_ON,
        }
    )

    FENCE_TIMEOUT: ClassVar[float] = 30.0

    PARAMETERS: ClassVar[tuple[params.Parameter, ...]] = (
        params.Parameter(
            name="agent",
            required=True,
            help="Name of the agent (fence_apc_snmp), or its path.",
        ),
        params.Parameter(
            name="agent_directories",
            default="/usr/sbin",
            help="Where agents are looked for, separated by colons.",
        ),
        params.Parameter(
            name="allow_scripts",
            kind=params.Kind.BOOLEAN,
            default=False,
            help="Whether parameters that make the agent run a script, such "
            "as password_script, may be set.",
        ),
        params.Parameter(
            name="allow_exposed_password",
            kind=params.Kind.BOOLEAN,
            default=False,
            help="Whether an agent may be used that is known to start "
            "another program with the password on its command line, which "
            "every user of this machine can read for a moment: those for "
            "IPMI (take driver ipmi), SNMP, AMT and vmrun.",
        ),
    )

    def __init__(
        self,
        name: str,
        parameters: params.Parameters,
        clock: clock_module.Clock,
        call_timeout: float,
    ) -> None:
        super().__init__(name, parameters, clock, call_timeout)
        self._parameters = parameters
        self._program = child.Program(name, agent_metadata.PACKAGE)
        self._settings = _settings(parameters)
        # An agent waits for off itself, 20 s by default, and asks about each
        # second. It has to be done within a call of ours, or it is killed
        # before it has logged out.
        if "power_timeout" in parameters:
            patience = str(max(1, int(call_timeout / 3)))
            self._settings.setdefault("power_timeout", patience)
        self._secrets = [
            value.reveal()
            for value in parameters.values()
            if isinstance(value, params.Secret)
        ]

    @classmethod
    def further_schema(
        cls, own: params.Parameters
    ) -> tuple[params.Parameter, ...]:
        metadata = agent_metadata.read(_path(own))
        if metadata.exposing and not own.flag("allow_exposed_password"):
            raise ValueError(
                f"{own.text('agent')} would start {metadata.exposing} with "
                "the password on its command line: take another driver, or "
                "set allow_exposed_password: true"
            )
        taken = {"driver", *(each.name for each in cls.schema())}
        return metadata.schema(taken, own.flag("allow_scripts"))

    @classmethod
    def chassis(cls, parameters: params.Parameters) -> str | None:
        address = [
            f"{key} {value}"
            for key, value in sorted(_settings(parameters).items())
            if isinstance(parameters[key], str) and not _NO_ADDRESS.search(key)
        ]
        port = parameters.get("ipport")
        if port is not None:
            address.append(f"ipport {port}")
        return f"{parameters.text('agent')} {', '.join(address)}".lower()

    def power_state(self) -> model.PowerState:
        ended = self._act("status")
        said = {word.upper() for word in _STATUS.findall(ended.output)}
        words = " and ".join(sorted(said))
        state = _STATES.get((ended.code, words))
        if state is not None:
            return state
        if ended.code in (0, 2):
            raise exception.DeviceProtocolError(
                self.name,
                f"the agent ends with {ended.code} and says "
                f"{words or 'nothing'}: neither on nor off",
            )
        raise self._error(ended)

    def power_off(self) -> None:
        self._command("off")

    def power_on(self) -> None:
        self._command("on")

    def system_uuid(self) -> None:
        """Agents cannot be asked for it."""
        return None

    def _command(self, action: str) -> None:
        ended = self._act(action)
        if ended.code != 0 and not _NOT_YET.search(ended.errors):
            raise self._error(ended)

    def _act(self, action: str) -> child.Ended:
        settings = {**self._settings, "action": action}
        lines = [f"{key}={_quoted(text)}\n" for key, text in settings.items()]
        try:
            path = _path(self._parameters)
        except ValueError as error:  # it was there when the file was loaded
            raise exception.DeviceUnreachable(self.name, str(error)) from None
        return self._program.run(
            [path], self.call_timeout, text="".join(lines)
        )

    def _error(self, ended: child.Ended) -> exception.DeviceError:
        everything = f"{ended.errors}\n{ended.output}"
        kind = next(
            (kind for words, kind in _ERRORS if words.search(everything)),
            exception.DeviceProtocolError,
        )
        lines = [
            _LOG_PREFIX.sub("", line)
            for line in everything.splitlines()
            if line.strip() and not _NOISE.search(line)
        ]
        text = self._masked("; ".join(lines[:_KEPT_LINES]))
        return kind(
            self.name,
            text[:_KEPT_LETTERS]
            or f"the agent ends with {ended.code} and says nothing",
        )

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            for spelling in (secret, parse.quote(secret, safe="")):
                text = text.replace(spelling, "***")
        return text


def _path(parameters: params.Parameters) -> str:
    """:raises ValueError: see :func:`agent_metadata.find`."""
    directories = parameters.text("agent_directories").split(":")
    return agent_metadata.find(parameters.text("agent"), directories)


def _settings(parameters: params.Parameters) -> dict[str, str]:
    """What the agent is told, but the action. Holds the password."""
    own = {each.name for each in FenceAgentDriver.schema()}
    return {
        name: _told(value)
        for name, value in parameters.items()
        if name not in own and value is not None
    }


def _told(value: params.Value) -> str:
    if isinstance(value, params.Secret):
        return value.reveal()
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _quoted(text: str) -> str:
    """Agents strip spaces from a line, and quotes from a value."""
    bare = text == text.strip() and not re.fullmatch(r'".*"', text)
    return text if bare else f'"{text}"'
