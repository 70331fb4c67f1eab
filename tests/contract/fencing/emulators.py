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


"""Starts emulated BMCs on loopback: OpenIPMI's ``ipmi_sim`` and OpenStack's
``sushy-emulator``. Each listens on a free port and can be frozen, thawed and
stopped.

::

    bmc = IpmiSim("/tmp/somewhere", startcmd="/bin/sleep 1000000")
    bmc.start()
    bmc.freeze()  # hung: SIGSTOP
    bmc.stop()  # dead: nothing listens, nothing is left running
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import bcrypt

START_TIMEOUT = 30.0  # seconds; sushy-emulator takes 1 to 2


class EmulatorError(Exception):
    """An emulator is not installed or did not start."""


def require(program: str, package: str) -> str:
    """Path of a program, beside this interpreter or in PATH."""
    beside = os.path.join(sys.prefix, "bin", program)
    found = beside if os.access(beside, os.X_OK) else shutil.which(program)
    if not found:
        raise EmulatorError(
            f"{program} is not installed: install {package}. These tests "
            "need it and are not skipped without it."
        )
    return found


def wait_until(
    condition: Callable[[], bool], timeout: float, what: str
) -> None:
    """Wait for a condition; ``what`` names it when it does not come."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise EmulatorError(f"{what}: not within {timeout:g} s")
        time.sleep(0.02)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nobody uses right now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(directory: str) -> str:
    """A key and a self-signed certificate for 127.0.0.1, in one file."""
    openssl = require("openssl", "the Debian package openssl")
    path = pathlib.Path(directory, "certificate.pem")
    done = subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-subj", "/CN=127.0.0.1", "-days", "2"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", "-", "-out", "-"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(done.stdout)
    return str(path)


# Called as: control.sh 0x20 get|set power ...
LYING = """\
#!/bin/sh
[ "$2" = get ] && echo power:1
exit 0
"""
REFUSING = """\
#!/bin/sh
[ "$2" = get ] && echo power:1 && exit 0
exit 1
"""


class Emulator:
    """A server process of our own, known by its process id."""

    def __init__(self, directory: str) -> None:
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False

    def _spawn(self, command: Sequence[str]) -> None:
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
            )

    def _ready(self, condition: Callable[[], bool]) -> None:
        def checked() -> bool:
            if self._process is None or self._process.poll() is not None:
                raise EmulatorError(f"ended at once:\n{self.tail()}")
            return condition()

        try:
            wait_until(checked, START_TIMEOUT, type(self).__name__)
        except EmulatorError as error:
            self.stop()
            raise EmulatorError(f"{error}\n{self.tail()}") from None

    def tail(self) -> str:
        """The end of the emulator's own log."""
        text = (self.directory / "log").read_text(errors="replace")
        return text[-2000:]

    def freeze(self) -> None:
        """Hang: connections are accepted by the kernel, nobody answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        if self._process is not None and self._frozen:
            os.kill(self._process.pid, signal.SIGCONT)
        self._frozen = False

    def stop(self) -> None:
        """Idempotent."""
        if self._process is None:
            return
        self.thaw()
        self._process.kill()
        self._process.wait()
        self._process = None


class IpmiSim(Emulator):
    """``ipmi_sim``. ``startcmd`` is the machine: it runs while power is on,
    and power off ends it with SIGTERM, later SIGKILL.

    :param stubborn: the machine ignores SIGTERM.
    :param kill_wait: seconds between SIGTERM and SIGKILL; 0: never.
    :param control: a chassis of another kind, that always says on:
        ``LYING`` accepts every command, ``REFUSING`` none.
    """

    USERNAME = "admin"
    GUID = "a123456789abcdefa123456789abcdef"

    def __init__(
        self,
        directory: str,
        password: str = "secret",
        startcmd: str = "",
        stubborn: bool = False,
        poweroff_wait: int = 2,
        kill_wait: int = 2,
        control: str = "",
    ) -> None:
        super().__init__(directory)
        self.password = password
        self.port = 0
        self._startcmd = startcmd
        self._stubborn = stubborn
        self._waits = (poweroff_wait, kill_wait)
        self._control = control

    def start(self) -> None:
        program = require("ipmi_sim", "the Debian package openipmi")
        require("ipmitool", "the Debian package ipmitool")
        self.port = self.port or free_port(socket.SOCK_DGRAM)
        (self.directory / "state").mkdir(exist_ok=True)
        (self.directory / "bmc.conf").write_text(self._configuration())
        (self.directory / "bmc.emu").write_text(_IPMI_COMMANDS)
        self._spawn(
            [
                *(program, "-n", "-c", str(self.directory / "bmc.conf")),
                *("-f", str(self.directory / "bmc.emu")),
                *("-s", str(self.directory / "state")),
            ]
        )
        self._ready(self._answers)
        if not self._control and not self._startcmd:
            wait_until(self.machine_runs, START_TIMEOUT, "the machine")

    def stop(self) -> None:
        machine = self._machine()
        super().stop()
        # ipmi_sim leaves what it started behind.
        if machine is not None and _runs(machine):
            os.kill(machine, signal.SIGKILL)

    def machine_runs(self) -> bool:
        """Whether the default machine's process exists: the truth, by a way
        that does not lead over the BMC."""
        machine = self._machine()
        return machine is not None and _runs(machine)

    def _machine(self) -> int | None:
        try:
            return int((self.directory / "machine.pid").read_text())
        except (OSError, ValueError):
            return None

    def _answers(self) -> bool:
        # An RMCP presence ping (ASF 2.0): answered without a session.
        ping = bytes.fromhex("06 00 ff 06 00 00 11 be 80 00 00 00")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.sendto(ping, ("127.0.0.1", self.port))
                return bool(probe.recv(64))
            except OSError:
                return False

    def _configuration(self) -> str:
        script = self.directory / "machine.sh"
        ignore = "trap '' TERM\n" if self._stubborn else ""
        pid_file = self.directory / "machine.pid"
        script.write_text(
            f"{ignore}echo $$ > {pid_file}\nexec sleep 1000000\n"
        )
        lines = [
            'name "bmc"',
            "set_working_mc 0x20",
            "startlan 1",
            f"addr 127.0.0.1 {self.port}",
            "priv_limit admin",
            "allowed_auths_admin none md2 md5 straight",
            f"guid {self.GUID}",
            "endlan",
            *self._chassis(f"/bin/sh {script}"),
            f'user 2 true "{self.USERNAME}" "{self.password}" admin 10 '
            "none md2 md5 straight",
        ]
        return "\n".join(lines) + "\n"

    def _chassis(self, machine: str) -> list[str]:
        if self._control:
            control = self.directory / "control.sh"
            control.write_text(self._control)
            control.chmod(0o755)
            return [f'chassis_control "{control} 0x20"']
        poweroff_wait, kill_wait = self._waits
        return [
            f"serial 15 127.0.0.1 {free_port()} codec VM",
            f'startcmd "{self._startcmd or machine}"',
            "startnow true",
            f"poweroff_wait {poweroff_wait}",
            f"kill_wait {kill_wait}",
        ]


_IPMI_COMMANDS = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


class SushyEmulator(Emulator):
    """``sushy-emulator`` with its fake driver: the power changes 1 to 11 s
    after a command."""

    USERNAME = "admin"

    def __init__(
        self,
        directory: str,
        systems: Sequence[Mapping[str, object]],
        password: str = "secret",
        settings: Mapping[str, object] | None = None,
        certificate: str = "",
    ) -> None:
        """
        :param systems: each with ``uuid``, ``name`` and ``power_state``.
        :param settings: further settings of the emulator.
        :param certificate: file with key and certificate: serve HTTPS.
        """
        super().__init__(directory)
        self.password = password
        self.port = 0
        self._systems = [
            {"nics": [], "power_state": "On", **each} for each in systems
        ]
        self._settings = dict(settings or {})
        self._certificate = certificate
        if certificate:
            self._settings["SUSHY_EMULATOR_SSL_CERT"] = certificate
            self._settings["SUSHY_EMULATOR_SSL_KEY"] = certificate

    @property
    def url(self) -> str:
        scheme = "https" if self._certificate else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = require("sushy-emulator", "the Python package sushy-tools")
        self.port = self.port or free_port()
        (self.directory / "state").mkdir(exist_ok=True)
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(4))
        users = self.directory / "htpasswd"
        users.write_text(f"{self.USERNAME}:{hashed.decode()}\n")
        settings = {
            "SUSHY_EMULATOR_LISTEN_IP": "127.0.0.1",
            "SUSHY_EMULATOR_LISTEN_PORT": self.port,
            "SUSHY_EMULATOR_FAKE_DRIVER": True,
            "SUSHY_EMULATOR_STATE_DIR": str(self.directory / "state"),
            "SUSHY_EMULATOR_AUTH_FILE": str(users),
            "SUSHY_EMULATOR_FAKE_SYSTEMS": self._systems,
            **self._settings,
        }
        config = self.directory / "emulator.conf"
        config.write_text(
            "".join(f"{key} = {value!r}\n" for key, value in settings.items())
        )
        self._spawn([program, "--config", str(config)])
        self._ready(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _runs(pid: int) -> bool:
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")
