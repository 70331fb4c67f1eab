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


"""IPMI 2.0 over LAN, by ``ipmitool``.

Why a child process rather than a library: see ``child``; and calls to
different BMCs share no state (pyghmi, the library, drives all sessions of a
process from one loop).
``ipmitool`` prints the same last line for a wrong password, a hung BMC and a
dead port; only with ``-v`` does it name the step that failed, and a rejected
user or password is then told apart from silence:

* ``RAKP 2 HMAC is invalid`` - the password, ``unauthorized name`` - the user;
* ``Error in open session response`` - the cipher suite;
* ``Get Auth Capabilities error`` - no answer at all.

(ipmitool 1.8.19 with OpenIPMI 2.0.33 as the BMC.) The password travels in
the child's environment, never on its command line.
"""

import collections
import re
import uuid
from typing import ClassVar

from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import child
from nova_ha.fencing import identity
from nova_ha.fencing import parameters as params

_KEEP_LINES = 3
_SYSTEM_GUID = ("raw", "0x06", "0x37")  # netfn App, Get System GUID

_NO_SUITE = re.compile(
    r"open session response message\s*: .*(algorithm|cipher suite)", re.I
)
_CREDENTIALS = re.compile(
    r"HMAC is invalid|unauthorized name|unauthorized role"
    r"|invalid role|password is longer than",
    re.I,
)
_SILENCE = re.compile(
    r"Address lookup|Could not open socket|Auth(entication)? Capabilities"
    r"|no response|timed? ?out",
    re.I,
)
_WRONG_STATE = re.compile(r"not supported in present state", re.I)
_REFUSED = re.compile(
    r"Set Chassis Power Control .* failed|Insufficient privilege"
    r"|Invalid data field|rsp=0x",
    re.I,
)
_CHATTER = re.compile(
    r"IANA PEN|VSO Capabilities|HPM\.x Capabilities|IPMB address"
    r"|completion code received: Invalid command|^RAW R",
    re.I,
)
_SESSION = re.compile(r"Unable to establish IPMI", re.I)


_MEANING = {
    exception.DeviceCredentials: "it rejects the user name or the password",
    exception.DeviceUnreachable: "no IPMI session with it",
    exception.DeviceRefused: "it does not do it",
    exception.DeviceWrongState: "it does not do it in this state",
}


def _plain(value: str) -> str | None:
    return "must not begin with '-'" if value.startswith("-") else None


class IpmiDriver(base.FenceDriver):
    """A BMC that speaks IPMI 2.0 (lanplus)."""

    PARAMETERS: ClassVar[tuple[params.Parameter, ...]] = (
        params.Parameter(
            name="address",
            required=True,
            check=_plain,
            help="Host name or IP address of the BMC.",
        ),
        params.Parameter(
            name="port",
            kind=params.Kind.INTEGER,
            default=623,
            minimum=1,
            maximum=65535,
            help="UDP port of the BMC.",
        ),
        params.Parameter(
            name="username",
            required=True,
            check=_plain,
            help="User of the BMC.",
        ),
        params.Parameter(
            name="password",
            kind=params.Kind.SECRET,
            required=True,
            help="Its password, at most 20 bytes.",
        ),
        params.Parameter(
            name="cipher_suite",
            kind=params.Kind.INTEGER,
            minimum=1,
            maximum=17,
            help="IPMI cipher suite. Default: 17, and 3 if the device does "
            "not know it.",
        ),
        params.Parameter(
            name="privilege",
            default="ADMINISTRATOR",
            choices=("ADMINISTRATOR", "OPERATOR"),
            help="Privilege level to ask for; OPERATOR is enough to switch "
            "power.",
        ),
        params.Parameter(
            name="retransmit_interval",
            kind=params.Kind.INTEGER,
            default=1,
            minimum=1,
            maximum=10,
            help="Seconds before an unanswered packet is sent again.",
        ),
        params.Parameter(
            name="transmissions",
            kind=params.Kind.INTEGER,
            default=2,
            minimum=1,
            maximum=10,
            help="How often a packet is sent before giving up. With 1 a "
            "silent BMC is given up after 2 s, with 2 after 6 s.",
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
        self._tool = child.Program(name, "the package ipmitool")
        self._arguments = (
            *("ipmitool", "-I", "lanplus", "-v", "-E"),
            *("-H", parameters.text("address")),
            *("-p", str(parameters.integer("port"))),
            *("-U", parameters.text("username")),
            *("-L", parameters.text("privilege")),
            *("-N", str(parameters.integer("retransmit_interval"))),
            *("-R", str(parameters.integer("transmissions"))),
        )
        self._password = parameters.secret("password")
        chosen = parameters["cipher_suite"]
        # A suite must be named: asking a BMC that does not list its suites
        # costs 10 s a command. A wrong one is refused within milliseconds.
        self._suites: collections.deque[int] = collections.deque(
            [17, 3] if chosen is None else [parameters.integer("cipher_suite")]
        )

    @classmethod
    def chassis(cls, parameters: params.Parameters) -> str | None:
        address = parameters.text("address").lower()
        return f"ipmi {address} port {parameters.integer('port')}"

    def power_state(self) -> model.PowerState:
        answer = self._call("chassis", "power", "status")
        found = re.search(r"^Chassis Power is (on|off)\s*$", answer, re.M)
        if not found:
            raise exception.DeviceProtocolError(
                self.name, "the power state is neither on nor off"
            )
        return model.PowerState(found.group(1))

    def power_off(self) -> None:
        self._call("chassis", "power", "off")

    def power_on(self) -> None:
        self._call("chassis", "power", "on")

    def system_uuid(self) -> str | None:
        try:
            octets = bytes.fromhex("".join(self._call(*_SYSTEM_GUID).split()))
        except exception.DeviceRefused:
            return None  # an optional command
        except ValueError:
            octets = b""
        if len(octets) != 16:
            raise exception.DeviceProtocolError(
                self.name, "the system GUID is not 16 bytes long"
            )
        # SMBIOS order: what most BMCs use, and what the kernel shows.
        found = identity.parse(str(uuid.UUID(bytes_le=octets)))
        return None if found is None else str(found)

    def _call(self, *command: str) -> str:
        """Run one command with the first cipher suite that is accepted."""
        for suite in tuple(self._suites):
            ended = self._tool.run(
                (*self._arguments, "-C", str(suite), *command),
                self.call_timeout,
                {"IPMITOOL_PASSWORD": self._password.reveal()},
            )
            if ended.code == 0:
                self._prefer(suite)
                return ended.output
            if not _NO_SUITE.search(ended.errors):
                raise self._error(ended.errors)
        raise exception.DeviceRefused(
            self.name,
            "it accepts none of the IPMI cipher suites "
            f"{', '.join(map(str, sorted(self._suites)))}; "
            "set cipher_suite to one that it has",
        )

    def _prefer(self, suite: int) -> None:
        # Replaced as a whole: other threads may be iterating over it.
        if self._suites[0] != suite:
            self._suites = collections.deque(
                [suite, *(other for other in self._suites if other != suite)]
            )

    def _error(self, errors: str) -> exception.DeviceError:
        lines = [
            line.strip(" >")
            for line in errors.splitlines()
            if line.strip() and not _CHATTER.search(line)
        ]
        text = "; ".join(lines[:_KEEP_LINES]) or "ipmitool failed silently"
        password = self._password.reveal()
        if password:  # it is never printed; this keeps it so
            text = text.replace(password, "***")
        kind = _classify(errors)
        meaning = _MEANING.get(kind)
        return kind(self.name, f"{meaning} ({text})" if meaning else text)


def _classify(errors: str) -> type[exception.DeviceError]:
    if _CREDENTIALS.search(errors):
        return exception.DeviceCredentials
    if _SILENCE.search(errors):
        return exception.DeviceUnreachable
    if _WRONG_STATE.search(errors):
        return exception.DeviceWrongState
    if _REFUSED.search(errors):
        return exception.DeviceRefused
    if _SESSION.search(errors):
        return exception.DeviceUnreachable
    return exception.DeviceProtocolError
