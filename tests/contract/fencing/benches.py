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

import abc
import contextlib
import json
import pathlib
import urllib.request

from nova_ha import clock
from nova_ha.core import model
from nova_ha.fencing import topology
from tests.contract.fencing import emulators
from tests.contract.fencing import redfish_stub
from tests.unit.fencing import fakes

HOST = model.HostName("compute-1")
CALL_TIMEOUT = 3.0
PASSWORD = "s3cretOfTheBmc"


class Bench(abc.ABC):
    """A device of one host, and the topology that leads to it.

    :ivar obeys_within: seconds in which this device shows off.
    """

    driver = ""
    obeys_within = 5.0

    def __init__(self, directory: str) -> None:
        self.directory = pathlib.Path(directory)

    @abc.abstractmethod
    def parameters(self) -> dict[str, object]: ...

    @abc.abstractmethod
    def start(self) -> None: ...

    @abc.abstractmethod
    def start_refusing(self) -> None:
        """A device that does not execute power-off."""

    @abc.abstractmethod
    def start_lying(self) -> None:
        """A device that accepts power-off and stays on."""

    @abc.abstractmethod
    def start_slow(self) -> float:
        """A device that takes its time; returns the least seconds."""

    @abc.abstractmethod
    def hang(self) -> None: ...

    @abc.abstractmethod
    def stop(self) -> None:
        """Nothing listens any more. Idempotent."""

    @abc.abstractmethod
    def really_on(self) -> bool:
        """The truth, by a way that does not lead over the driver."""

    @property
    @abc.abstractmethod
    def uuid(self) -> str: ...

    def topology(self, **overrides: object) -> topology.Topology:
        """A topology of this one device, changed by ``overrides``."""
        return open_topology(
            self.directory,
            {"bmc": self.device(**overrides)},
            {HOST: [["bmc"]]},
        )

    def device(self, **overrides: object) -> dict[str, object]:
        """The device's entry in fencing.yaml."""
        return {
            "driver": self.driver,
            "call_timeout": CALL_TIMEOUT,
            **self.parameters(),
            **overrides,
        }


def open_topology(
    directory: pathlib.Path,
    devices: dict[str, dict[str, object]],
    hosts: dict[model.HostName, list[list[str]]],
) -> topology.Topology:
    """Write fencing.yaml and load it, with drivers as installed."""
    path = directory / "fencing.yaml"
    rules = {name: {"levels": levels} for name, levels in hosts.items()}
    path.touch(mode=0o600)
    # JSON is YAML, and quotes everything.
    path.write_text(json.dumps({"devices": devices, "hosts": rules}))
    if all(each["driver"] == "fake" for each in devices.values()):
        return topology.Topology(
            str(path),
            clock.SystemClock(),
            find_driver=fakes.finder(fake=fakes.FakeDriver),
        )
    return topology.Topology(str(path), clock.SystemClock())


class IpmiBench(Bench):
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
            str(self.directory / "bmc"), password=PASSWORD, **how
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


class RedfishBench(Bench):
    """sushy against sushy-emulator, and a stub for what that cannot do."""

    driver = "redfish"
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
            "password": PASSWORD,
        }

    def _start(self, **settings: object) -> None:
        self.bmc = emulators.SushyEmulator(
            str(self.directory / "bmc"),
            [{"uuid": self.uuid, "name": "compute-1"}],
            password=PASSWORD,
            settings=settings,
        )
        self.bmc.start()
        self._url = self.bmc.url

    def start(self) -> None:
        self._start()

    def start_refusing(self) -> None:
        self._start(SUSHY_EMULATOR_DISABLE_POWER_OFF=True)

    def start_lying(self) -> None:
        self.stub = redfish_stub.RedfishStub()
        self.stub.password = PASSWORD
        self.stub.obeys = False
        self._url = self._stack.enter_context(self.stub.running())

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
            f"{self._url}/redfish/v1/Systems/{self.uuid}",
            headers={"Authorization": redfish_stub.basic("admin", PASSWORD)},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)["PowerState"] == "On"

    @property
    def uuid(self) -> str:
        return "11111111-1111-4111-8111-111111111111"


class FakeBench(Bench):
    """The device in memory that other tests use: it must behave alike."""

    driver = "fake"

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.bmc = fakes.FakeBmc(directory, uuid=self.uuid)
        self.bmc.password = PASSWORD
        fakes.FakeDriver.bmcs[directory] = self.bmc

    def parameters(self) -> dict[str, object]:
        return {
            "address": self.bmc.address,
            "password": PASSWORD,
            "call_timeout": 1.0,
        }

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
