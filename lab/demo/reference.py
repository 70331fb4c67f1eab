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

"""What a bare script needs for the same: force down, then evacuate in a
thread pool and let Nova's scheduler choose. No proof, no records, no
second thought; the time to compare with."""

import concurrent.futures
import time

from lab import cloud as cloud_mod
from lab import process

POOL = 8


def evacuate(
    cloud: cloud_mod.Cloud, host: str, pool: int = POOL, timeout: float = 600
) -> float:
    """Evacuate a host that is off; returns seconds from before the
    force-down to the last instance done.

    :param pool: how many instances at the same time.
    :raises lab.process.LabError: an instance did not make it.
    """
    nova = cloud.nova()
    service = _service(nova, host)
    servers = nova.servers.list(search_opts={"host": host, "all_tenants": 1})
    began = time.monotonic()
    nova.services.force_down(service.id, True)
    with concurrent.futures.ThreadPoolExecutor(pool) as threads:
        list(threads.map(lambda one: _one(cloud, one.id, timeout), servers))
    return time.monotonic() - began


def _one(cloud: cloud_mod.Cloud, server: str, timeout: float) -> None:
    nova = cloud.nova()
    nova.servers.evacuate(server)

    def done() -> bool:
        records = nova.migrations.list(instance_uuid=server)
        states = [one.status for one in records]
        if states and states[0] in ("error", "failed"):
            raise process.LabError(f"the bare evacuation of {server} failed")
        return bool(states) and states[0] in ("done", "completed")

    process.wait_until(done, timeout, f"{server} to move", interval=0.3)


def take_back(cloud: cloud_mod.Cloud, host: str) -> None:
    """Switch the host on and put it back to work, as a script would."""
    cloud.host(host).power_on()
    nova = cloud.nova()
    service = _service(nova, host)

    def lifted() -> bool:
        try:
            nova.services.force_down(service.id, False)
        except Exception as error:
            # 400 until its nova-compute has cleaned up.
            if getattr(error, "code", None) != 400:
                raise
            return False
        return True

    process.wait_until(lifted, 120, f"{host} to be cleaned up", interval=1)
    cloud.wait_hosts_up([host])


def _service(nova, host: str):  # type: ignore[no-untyped-def]
    (service,) = nova.services.list(host=host, binary="nova-compute")
    return service
