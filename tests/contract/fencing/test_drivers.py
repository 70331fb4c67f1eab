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

"""The contract of fence drivers, on real devices and emulated ones."""

from nova_ha import exception
from nova_ha.fencing import testing
from tests import base
from tests.contract.fencing import benches


class FakeContractTest(testing.DriverContract, base.TestCase):
    """The fake that other tests rely on keeps the contract too."""

    bench_class = benches.FakeBench


class IpmiContractTest(testing.DriverContract, base.TestCase):
    """The ``ipmi`` driver and OpenIPMI's ``ipmi_sim``."""

    bench_class = benches.IpmiBench


class RedfishContractTest(testing.DriverContract, base.TestCase):
    """The ``redfish`` driver and ``sushy-emulator``."""

    bench_class = benches.RedfishBench


class IpmilanAgentContractTest(testing.DriverContract, base.TestCase):
    """The ``fence_agent`` driver, ``fence_ipmilan`` and ``ipmi_sim``."""

    bench_class = benches.IpmilanAgentBench

    def test_secrets_do_not_show(self) -> None:
        """They do, so that this agent is refused unless that is accepted."""
        self.bench.start()
        error = self.assertRaises(
            exception.ConfigError,
            self.bench.topology,
            allow_exposed_password=False,
        )
        self.assertIn("on its command line", error.problem)
        self.assertNotIn(testing.PASSWORD, str(error))
        # It is no slander. ipmitool hides what it was given, but only some
        # milliseconds later; a program in its place leaves time to read it.
        tool = self.bench.directory / "tool"
        tool.write_text("#!/bin/sh\nsleep 1\n")
        tool.chmod(0o755)
        fencing = self.bench.topology(ipmitool_path=str(tool))
        seen = self.exposed(lambda: fencing.power_state(testing.HOST))
        self.assertIn(f"-P\0{testing.PASSWORD}\0", "".join(seen))


class RedfishAgentContractTest(testing.DriverContract, base.TestCase):
    """The ``fence_agent`` driver, ``fence_redfish`` and sushy-emulator."""

    bench_class = benches.RedfishAgentBench
