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
"""Starts and stops BMCs, and writes what nova_ha has to know of them."""

import abc
import pathlib
import sys
import uuid
from typing import Any

import bcrypt

from lab import files
from lab import network
from lab import process
from lab.bmc import faults
from lab.services import base

USER = "admin"


class Bmc(abc.ABC):
    """One machine's BMC.

    :param system_uuid: the DMI system UUID of its machine.
    """

    def __init__(
        self,
        site: base.Site,
        machine_directory: pathlib.Path,
        system_uuid: uuid.UUID,
    ) -> None:
        self.name = f"bmc-{machine_directory.name}"
        self.directory = machine_directory / "bmc"
        self.controller = faults.Controller(self.directory)
        self._site = site
        self._port = site.ports.get(self.name)
        self._uuid = system_uuid
        self.process = site.server(self.name, self._argv())

    @property
    def password(self) -> str:
        """What the device accepts now."""
        # ipmi_sim takes no more than 16 characters.
        return self._site.passwords.get(self.name)[:16]

    @abc.abstractmethod
    def _argv(self) -> list[str | pathlib.Path]:
        """The server's command line."""

    @abc.abstractmethod
    def _configure(self, password: str) -> None:
        """Write the server's files."""

    @abc.abstractmethod
    def _answers(self) -> bool:
        """Whether the server is up."""

    @abc.abstractmethod
    def device(self) -> dict[str, Any]:
        """Its entry in nova_ha's fencing file; holds the password."""

    def start(self, password: str | None = None) -> None:
        """Start it and wait until it answers; the power stays as it is.

        :param password: another than nova_ha knows, to have it locked out.
        :raises lab.process.LabError: when it does not come up.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configure(password or self.password)
        self.process.start()
        process.wait_until(self._answers, 30, self.name, self.process)

    def stop(self) -> None:
        """Nothing listens any more; the machine keeps its power."""
        self.process.kill()

    def change_password(self, password: str) -> None:
        """Restart with another password than nova_ha was told."""
        self.stop()
        self.start(password)

    def hang(self) -> None:
        """Freeze it: connections are taken and nothing is answered."""
        self.process.freeze()

    def unhang(self) -> None:
        """Let it go on."""
        self.process.thaw()

    def misbehave(self, mode: str, **more: Any) -> None:
        """See :class:`lab.bmc.faults.Faults`; "" ends it."""
        self.controller.set_faults(faults.Faults(mode=mode, **more))


class IpmiBmc(Bmc):
    """ipmi_sim."""

    def _argv(self) -> list[str | pathlib.Path]:
        return [
            base.system_command("ipmi_sim"),
            "-n",
            "-c",
            self.directory / "lan.conf",
            "-f",
            self.directory / "bmc.emu",
            "-s",
            self.directory / "state",
        ]

    def _configure(self, password: str) -> None:
        command = (
            f"{sys.executable} -S -m lab.bmc.ipmi_chassis {self.directory}"
        )
        serial = self._site.ports.get(f"{self.name}-serial")
        files.write(
            self.directory / "lan.conf",
            f'name "{self.name}"\n'
            "set_working_mc 0x20\n"
            "startlan 1\n"
            f"  addr {network.LOOPBACK} {self._port}\n"
            "  priv_limit admin\n"
            "  allowed_auths_admin none md2 md5 straight\n"
            f"  guid {self._uuid.hex}\n"
            "endlan\n"
            f"serial 15 {network.LOOPBACK} {serial} codec VM\n"
            f'chassis_control "{command} 0x20"\n'
            f'user 2 true "{USER}" "{password}" admin 10 '
            "none md2 md5 straight\n",
        )
        files.write(
            self.directory / "bmc.emu",
            "mc_setbmc 0x20\n"
            "mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 "
            "persist_sdr\n"
            "sel_enable 0x20 1000 0x0a\n"
            "mc_enable 0x20\n",
        )
        # Fresh each time: the simulator remembers passwords in there.
        state = self.directory / "state"
        for old in sorted(state.rglob("*"), reverse=True):
            old.rmdir() if old.is_dir() else old.unlink()
        state.mkdir(exist_ok=True)

    def _answers(self) -> bool:
        """It binds its UDP port when it is ready; a presence ping tells."""
        return network.rmcp_ping(self._port)

    def device(self) -> dict[str, Any]:
        return {
            "driver": "ipmi",
            "address": network.LOOPBACK,
            "port": self._port,
            "username": USER,
            "password": self.password,
            "cipher_suite": 3,
        }


class RedfishBmc(Bmc):
    """sushy-emulator."""

    def _argv(self) -> list[str | pathlib.Path]:
        return [
            sys.executable,
            "-m",
            "lab.bmc.redfish_emulator",
            self.directory,
            self.directory / "emulator.conf",
        ]

    def _configure(self, password: str) -> None:
        digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        files.write(self.directory / "htpasswd", f"{USER}:{digest}\n")
        system = {
            "uuid": str(self._uuid),
            "name": self.directory.parent.name,
            "power_state": "On",
            "nics": [],
        }
        settings = {
            "LISTEN_IP": network.LOOPBACK,
            "LISTEN_PORT": self._port,
            "FAKE_DRIVER": True,
            "STATE_DIR": str(self._site.data(self.name)),
            "AUTH_FILE": str(self.directory / "htpasswd"),
            "FAKE_SYSTEMS": [system],
        }
        files.write(
            self.directory / "emulator.conf",
            "".join(
                f"SUSHY_EMULATOR_{name} = {value!r}\n"
                for name, value in settings.items()
            ),
        )

    def _answers(self) -> bool:
        return network.listening(self._port)

    def device(self) -> dict[str, Any]:
        return {
            "driver": "redfish",
            "address": f"http://{network.LOOPBACK}:{self._port}",
            "username": USER,
            "password": self.password,
            "system": f"/redfish/v1/Systems/{self._uuid}",
            "verify_tls": False,
        }


KINDS: dict[str, type[Bmc]] = {"ipmi": IpmiBmc, "redfish": RedfishBmc}
