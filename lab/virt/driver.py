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
"""A virt driver whose guests outlive nova-compute and die with the machine.

Nova's own fake driver keeps its guests in memory; after a crash it knows of
none. Here the definitions lie in the machine's directory, as libvirt keeps
them on its disk, and whether a guest runs is what the machine's guest
runner says. Guests do not start by themselves when the machine boots.
"""

import os
import pathlib
import shutil
import tempfile
import threading
import time
from typing import Any

from nova import exception
from nova.compute import power_state
from nova.conf import CONF
from nova.virt import fake
from nova.virt import hardware
from oslo_log import log as logging

from lab import files
from lab import guests
from lab import machine as lab_machine

LOG = logging.getLogger(__name__)

_RESOURCES = ("vcpus", "memory_mb", "root_gb")


class Driver(fake.FakeDriverWithoutFakeNodes):  # type: ignore[misc]
    """The guests of the machine that this process runs on."""

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        directory = pathlib.Path(os.environ[lab_machine.MARKER])
        self._machine = lab_machine.Machine(directory)
        knobs = self._machine.knobs()
        self.vcpus = knobs.vcpus
        self.memory_mb = knobs.memory_mb
        self.local_gb = knobs.disk_gb
        super().__init__(virtapi, read_only)
        self._runner = guests.Runner(self._machine)
        self._definitions_file = directory / "guests.json"
        self._lock = threading.RLock()

    def init_host(self, host: str) -> None:
        super().init_host(host)
        with self._lock:
            for uuid, one in files.read_json(self._definitions_file).items():
                self._define(uuid, one["name"], one["resources"])

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        status: dict[str, Any] = super().get_available_resource(nodename)
        # Nova's has none left, so that a filter of disks would pass nobody.
        free = status["local_gb"] - status["local_gb_used"]
        return {**status, "disk_available_least": free}

    # Guests

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: Any,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
    ) -> None:
        knobs = self._machine.knobs()
        time.sleep(knobs.spawn_delay)
        if knobs.spawn_failure == "before":
            raise _failure(instance, "before the guest started")
        self._instance_directory(instance).mkdir(parents=True, exist_ok=True)
        with self._lock:
            resources = [getattr(instance.flavor, one) for one in _RESOURCES]
            self._define(instance.uuid, instance.name, resources)
            self._save()
        if power_on:
            self._start(instance.uuid)
        if knobs.spawn_failure == "after":
            raise _failure(instance, "after the guest started")

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        self._stop(instance.uuid)
        self._undefine(instance.uuid)
        if destroy_disks:
            self._remove_disks(instance)

    def cleanup(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        migrate_data: Any = None,
        destroy_vifs: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        super().cleanup(context, instance, network_info)
        if destroy_disks:
            self._remove_disks(instance)

    def power_on(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        self._known(instance)
        self._start(instance.uuid)

    def power_off(
        self, instance: Any, timeout: int = 0, retry_interval: int = 0
    ) -> None:
        self._known(instance)
        self._stop(instance.uuid)

    def reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        reboot_type: str,
        block_device_info: Any = None,
        bad_volumes_callback: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        self._stop(instance.uuid)
        super().reboot(
            context, instance, network_info, reboot_type, block_device_info
        )

    def get_info(
        self, instance: Any, use_cache: bool = True
    ) -> hardware.InstanceInfo:
        self._known(instance)
        runs = instance.uuid in self._ask(self._runner.running)
        state = power_state.RUNNING if runs else power_state.SHUTDOWN
        return hardware.InstanceInfo(state=state)

    def live_migration(
        self,
        context: Any,
        instance: Any,
        dest: str,
        post_method: Any,
        recover_method: Any,
        block_migration: bool = False,
        migrate_data: Any = None,
    ) -> None:
        # The destination starts its guest only in the post step.
        self._stop(instance.uuid)
        self._undefine(instance.uuid)
        super().live_migration(
            context,
            instance,
            dest,
            post_method,
            recover_method,
            block_migration,
            migrate_data,
        )

    def migrate_disk_and_power_off(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> None:
        self._stop(instance.uuid)

    # Shared storage, asked about as Nova's libvirt driver is: by a file
    # that one host makes and the other one looks for.

    def instance_on_disk(self, instance: Any) -> bool:
        return (
            self._machine.knobs().shared_storage
            and self._instance_directory(instance).exists()
        )

    def check_instance_shared_storage_local(
        self, context: Any, instance: Any
    ) -> dict[str, str] | None:
        if not self.instance_on_disk(instance):
            return None
        directory = self._instance_directory(instance)
        handle, name = tempfile.mkstemp(dir=directory)
        os.close(handle)
        return {"filename": name}

    def check_instance_shared_storage_remote(
        self, context: Any, data: dict[str, str]
    ) -> bool:
        return self._machine.knobs().shared_storage and os.path.exists(
            data["filename"]
        )

    def check_instance_shared_storage_cleanup(
        self, context: Any, data: dict[str, str]
    ) -> None:
        pathlib.Path(data["filename"]).unlink(missing_ok=True)

    # Helpers

    def _known(self, instance: Any) -> None:
        if instance.uuid not in self.instances:
            raise exception.InstanceNotFound(instance_id=instance.uuid)

    def _start(self, uuid: str) -> None:
        self._ask(self._runner.start, uuid)

    def _stop(self, uuid: str) -> None:
        self._ask(self._runner.stop, uuid)

    def _ask(self, question: Any, *arguments: str) -> Any:
        try:
            return question(*arguments)
        except guests.RunnerUnavailable as error:
            raise exception.HypervisorUnavailable() from error

    def _define(self, uuid: str, name: str, resources: list[int]) -> None:
        if uuid not in self.instances:
            self.resources.claim(*resources)
        guest = fake.FakeInstance(name, power_state.SHUTDOWN, uuid)
        guest.resources = resources
        self.instances[uuid] = guest

    def _undefine(self, uuid: str) -> None:
        with self._lock:
            guest = self.instances.pop(uuid, None)
            if guest is not None:
                self.resources.release(*guest.resources)
                self._save()

    def _save(self) -> None:
        files.write_json(
            self._definitions_file,
            {
                uuid: {"name": guest.name, "resources": guest.resources}
                for uuid, guest in self.instances.items()
            },
        )

    def _instance_directory(self, instance: Any) -> pathlib.Path:
        return pathlib.Path(CONF.instances_path) / str(instance.uuid)

    def _remove_disks(self, instance: Any) -> None:
        shutil.rmtree(self._instance_directory(instance), ignore_errors=True)


def _failure(instance: Any, when: str) -> exception.NovaException:
    LOG.warning("Spawn fails %s, as the knob says", when, instance=instance)
    return exception.InstanceDeployFailure(reason=f"the lab's knob: {when}")
