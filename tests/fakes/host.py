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

"""A hypervisor of the small world, with all that can be seen of it."""

import datetime

from nova_ha.core import model

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Host:
    """A hypervisor with its agent, nova-compute and device."""

    def __init__(self, name):
        self.name = model.HostName(name)
        self.boot = 1
        self.running = True
        self.agent = True
        self.compute = True
        self.power = model.PowerState.ON
        self.device = "obeys"  # or: fails, hung, lies
        self.guests = set()
        self.goodbye = None
        self.maintenance = ""
        self.protected = ""
        self.failure_domain = ""
        self.storage_domain = ""
        self.reserved = False
        self.zone = "nova"
        self.incidents = ()
        self.quarantine = None
        self.acceptance = None
        self.barred = {}
        self.fencing = None
        self.other_chassis = False
        self.sequence = 1
        self.reported_at = START
        self.forced_down = False
        self.disabled_reason = ""

    @property
    def boot_id(self):
        return model.BootId(f"{self.name}-boot-{self.boot}")

    def crash(self):
        """The operating system stops; the power stays on."""
        self.running = False
        self.agent = self.compute = False
        self.guests.clear()

    def power_on(self):
        self.power = model.PowerState.ON
        self.boot += 1
        self.running = self.agent = self.compute = True

    def facts(self):
        beacon = None
        if self.agent:
            beacon = model.Beacon(
                host=self.name,
                boot_id=self.boot_id,
                machine_id=f"machine-{self.name}",
                system_uuid=f"uuid-{self.name}",
            )
        return model.HostFacts(
            host=self.name,
            record=model.HostRecord(
                host=self.name,
                machine_id=f"machine-{self.name}",
                system_uuid=f"uuid-{self.name}",
                service_id=f"service-{self.name}",
                protected=self.protected,
                maintenance=self.maintenance,
                failure_domain=self.failure_domain,
                storage_domain=self.storage_domain,
                reserved=self.reserved,
                incidents=self.incidents,
                quarantine=self.quarantine,
                acceptance=self.acceptance,
                barred=self.barred,
                fencing=self.fencing,
            ),
            beacon=beacon,
            goodbye=self.goodbye,
            inventory=model.GuestInventory(
                host=self.name,
                boot_id=self.boot_id,
                guests=frozenset(self.guests),
                sequence=self.sequence,
            ),
        )

    def service(self):
        return model.ServiceReport(
            host=self.name,
            service_id=f"service-{self.name}",
            reported_at=self.reported_at,
            up=not self.forced_down,
            forced_down=self.forced_down,
            disabled=bool(self.disabled_reason),
            disabled_reason=self.disabled_reason,
            zone=self.zone,
        )
