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


"""One bench a driver: a real (or in-memory) device, and its faults."""

import contextlib
import json
import ssl
import urllib.request
from urllib import parse

from nova_ha.core import model
from nova_ha.fencing import base
from nova_ha.fencing import testing
from tests.contract.fencing import emulators
from tests.contract.fencing import redfish_stub
from tests.unit.fencing import fakes


class IpmiBench(testing.Bench):
    """ipmitool against OpenIPMI's simulator."""

    driver = "ipmi"

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.bmc: emulators.IpmiSim | None = None

    def parameters(self) -> dict[str, object]:
        assert self.bmc is not None
        return {
            "address": "127.0.0.1",
            "port": self.bmc.port,
            "username": self.bmc.USERNAME,
            "password": self.bmc.password,
            "cipher_suite": 3,
            "transmissions": 1,
        }

    def _start(self, **how: object) -> None:
        self.bmc = emulators.IpmiSim(
            str(self.directory / "bmc"), password=testing.PASSWORD, **how
        )
        self.bmc.start()

    def start(self) -> None:
        self._start()

    def start_refusing(self) -> None:
        self._start(control=emulators.REFUSING)

    def start_lying(self) -> None:
        self._start(control=emulators.LYING)

    def start_slow(self) -> float:
        self._start(stubborn=True, poweroff_wait=2, kill_wait=2)
        return 2.0

    def hang(self) -> None:
        assert self.bmc is not None
        self.bmc.freeze()

    def stop(self) -> None:
        if self.bmc is not None:
            self.bmc.stop()

    def really_on(self) -> bool:
        assert self.bmc is not None
        return self.bmc.machine_runs()

    @property
    def uuid(self) -> str:
        return emulators.IpmiSim.GUID


class RedfishBench(testing.Bench):
    """sushy against sushy-emulator, and a stub for what that cannot do."""

    driver = "redfish"
    SYSTEM = "11111111-1111-4111-8111-111111111111"
    obeys_within = 13.0  # the emulator draws lots between 1 and 11 s

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.bmc: emulators.SushyEmulator | None = None
        self.stub: redfish_stub.RedfishStub | None = None
        self._url = ""
        self._stack = contextlib.ExitStack()

    def parameters(self) -> dict[str, object]:
        return {
            "address": self._url,
            "username": "admin",
            "password": testing.PASSWORD,
        }

    def _start(self, **settings: object) -> None:
        self.bmc = emulators.SushyEmulator(
            str(self.directory / "bmc"),
            [{"uuid": self.SYSTEM, "name": "compute-1"}],
            password=testing.PASSWORD,
            settings=settings,
            certificate=self._certificate(),
        )
        self.bmc.start()
        self._url = self.bmc.url

    def start(self) -> None:
        self._start()

    def start_refusing(self) -> None:
        self._start(SUSHY_EMULATOR_DISABLE_POWER_OFF=True)

    def start_lying(self) -> None:
        self.stub = redfish_stub.RedfishStub()
        self.stub.password = testing.PASSWORD
        self.stub.obeys = False
        self._url = self._stack.enter_context(
            self.stub.running(self._certificate())
        )

    def start_slow(self) -> float:
        self._start()
        return 1.0

    def hang(self) -> None:
        assert self.bmc is not None
        self.bmc.freeze()

    def stop(self) -> None:
        self._stack.close()
        if self.bmc is not None:
            self.bmc.stop()

    def really_on(self) -> bool:
        if self.stub is not None:
            return self.stub.power == "On"
        request = urllib.request.Request(
            f"{self._url}/redfish/v1/Systems/{self.SYSTEM}",
            headers={
                "Authorization": redfish_stub.basic("admin", testing.PASSWORD)
            },
        )
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
        )
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)["PowerState"] == "On"

    @property
    def uuid(self) -> str:
        return self.SYSTEM

    def _certificate(self) -> str:
        """A file with key and certificate, to serve HTTPS with."""
        return ""


class IpmilanAgentBench(IpmiBench):
    """fence_ipmilan, which starts ipmitool, against OpenIPMI's simulator."""

    driver = "fence_agent"
    # Three questions and a command, each of them a Python that starts.
    call_timeout = 8.0
    # The agent does not look at what ipmitool ends with.
    tells_refusal = False
    tells_credentials = False
    dead_is = "unreachable|timeout"
    uuid = ""

    def parameters(self) -> dict[str, object]:
        assert self.bmc is not None
        return {
            "agent": "fence_ipmilan",
            "allow_exposed_password": True,
            "ip": "127.0.0.1",
            "ipport": self.bmc.port,
            "username": self.bmc.USERNAME,
            "password": self.bmc.password,
            "lanplus": True,
            "cipher": "3",
        }


class RedfishAgentBench(RedfishBench):
    """fence_redfish, which speaks HTTPS only, against sushy-emulator."""

    driver = "fence_agent"
    # Three questions and a command, each of them a Python that starts.
    call_timeout = 8.0
    # Nor this one at the status of an answer.
    tells_refusal = False
    tells_credentials = False
    uuid = ""

    def parameters(self) -> dict[str, object]:
        address = parse.urlsplit(self._url)
        return {
            "agent": "fence_redfish",
            "ip": address.hostname,
            "ipport": address.port,
            "username": "admin",
            "password": testing.PASSWORD,
            "ssl_insecure": True,
            "systems_uri": redfish_stub.SYSTEM
            if self.stub
            else f"/redfish/v1/Systems/{self.SYSTEM}",
        }

    def _certificate(self) -> str:
        return emulators.certificate(str(self.directory))


class FakeBench(testing.Bench):
    """The device in memory that other tests use: it must behave alike."""

    driver = "fake"
    call_timeout = 1.0

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.bmc = fakes.FakeBmc(directory, uuid=self.uuid)
        self.bmc.password = testing.PASSWORD
        fakes.FakeDriver.bmcs[directory] = self.bmc

    def parameters(self) -> dict[str, object]:
        return {
            "address": self.bmc.address,
            "password": testing.PASSWORD,
        }

    def find_driver(self, name: str) -> type[base.FenceDriver]:
        return fakes.finder(fake=fakes.FakeDriver)(name)

    def start(self) -> None:
        pass

    def start_refusing(self) -> None:
        self.bmc.refuses = True

    def start_lying(self) -> None:
        self.bmc.lies = True

    def start_slow(self) -> float:
        self.bmc.off_after = 2
        return 1.0

    def hang(self) -> None:
        self.bmc.running.clear()

    def stop(self) -> None:
        self.bmc.running.set()
        self.bmc.alive = False

    def really_on(self) -> bool:
        return self.bmc.state is model.PowerState.ON

    @property
    def uuid(self) -> str:
        return "33333333-3333-4333-8333-333333333333"
