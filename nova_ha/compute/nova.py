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

"""Nova and Placement behind the engine's port."""

from collections.abc import Callable, Collection, Mapping, Sequence

from oslo_config import cfg

import nova_ha.conf.nova
from nova_ha import clock as clock_module
from nova_ha import exception
from nova_ha import ports
from nova_ha.compute import hypervisors
from nova_ha.compute import instances
from nova_ha.compute import migrations
from nova_ha.compute import placement
from nova_ha.compute import rest
from nova_ha.compute import services
from nova_ha.compute import session
from nova_ha.core import model

_LONGEST_REASON = 255
"""Characters of a disabled_reason (nova.db.main.models.Service)."""


class NovaCompute(ports.Compute, ports.Migrator):
    """:class:`nova_ha.ports.Compute` over the REST APIs.

    Requests that change something are sent once, by python-novaclient. They
    end within ``[nova] request_timeout``, and not being answered is told
    apart from being refused.
    """

    def __init__(
        self,
        clients: session.Clients,
        clock: clock_module.Clock,
        *,
        request_timeout: float,
        page_size: int,
        ask_images: bool = False,
    ) -> None:
        """
        :param ask_images: read the properties of instances' images too.
        """
        self._clients = clients
        self._clock = clock
        self._request_timeout = request_timeout
        nova = rest.Reader(clients.nova, "nova")
        self._services = services.Services(nova)
        self._hypervisors = hypervisors.Hypervisors(nova, clock, page_size)
        self._placement = placement.Placement(
            rest.Reader(clients.placement, "placement"), self._hypervisors
        )
        self._instances = instances.Instances(
            nova,
            self._hypervisors,
            self._placement,
            page_size,
            ask_images=ask_images,
        )
        self._migrations = migrations.Migrations(nova, self._services, clock)

    @classmethod
    def from_conf(
        cls,
        conf: cfg.ConfigOpts,
        clock: clock_module.Clock,
        connections: int,
        *,
        ask_images: bool = False,
    ) -> "NovaCompute":
        """Build it from ``[nova]``; sends nothing yet.

        :param connections: how many threads call it at the same time.
        :param ask_images: read the properties of instances' images too.
        :raises ConfigError: the credentials are incomplete.
        """
        options = conf[nova_ha.conf.nova.GROUP.name]
        return cls(
            session.open_clients(conf, connections),
            clock,
            request_timeout=options.request_timeout,
            page_size=options.page_size,
            ask_images=ask_images,
        )

    # -- services ------------------------------------------------------------

    def services(self) -> Sequence[model.ServiceReport]:
        """All nova-compute services whose cell answers.

        ``reported_at`` does not move when only somebody's flags on the
        service have changed (:class:`services.ReportTimes`). A host whose
        cell is down is *missing* here: its report is unread, not silent.
        """
        return self._services.read()

    def force_down(self, service_id: str, forced: bool) -> None:
        """Set or clear ``forced_down``.

        Clearing is refused (400) as long as a ``done`` evacuation from the
        host exists: its nova-compute has not cleaned up yet
        (nova.api.openstack.compute.services ``_check_for_evacuations``).
        """
        api = self._clients.novaclient.services
        self._change(
            f"force {'down' if forced else 'up'} service {service_id}",
            lambda: api.force_down(service_id, forced),
        )

    def disable(self, service_id: str, reason: str) -> None:
        """Disable with a reason, cut to what Nova stores.

        Nova calls a nova-compute that counts as up, and blocks if it is dead:
        only of one that lives, or after :meth:`force_down`.
        """
        api = self._clients.novaclient.services
        self._change(
            f"disable service {service_id}",
            lambda: api.disable_log_reason(
                service_id, reason[:_LONGEST_REASON]
            ),
        )

    def enable(self, service_id: str) -> None:
        """Enable; clears the reason too."""
        api = self._clients.novaclient.services
        self._change(
            f"enable service {service_id}", lambda: api.enable(service_id)
        )

    # -- instances -----------------------------------------------------------

    def instances(self, host: model.HostName) -> Sequence[model.Instance]:
        """All instances booked on a host, soft-deleted ones too.

        ``resources`` is what each holds on this host in Placement, or where
        it holds nothing what its flavor asks for.
        """
        return self._instances.of_host(host)

    def instance(self, instance: model.InstanceId) -> model.Instance | None:
        """One instance; ``resources`` is what its flavor asks for.

        :raises CellDown: Nova knows it, and no more.
        """
        return self._instances.one(instance)

    # -- migrations ----------------------------------------------------------

    def migrations(self, host: model.HostName) -> Sequence[model.Migration]:
        """All records that name a host as source or destination.

        Newest first. A record that has ended is re-read once a minute, the
        others each time; see :mod:`nova_ha.compute.migrations`.

        What the statuses of an evacuation mean (Nova 34):

        ``accepted``
            Created by the API (nova.compute.api ``API.evacuate``), with the
            requested destination. Stays for ever if the conductor fails in
            an unforeseen way, e.g. gets no answer from the scheduler.
        ``error``
            The conductor found no valid host or could not claim there
            (nova.conductor.manager ``rebuild_instance``): no nova-compute
            has been asked.
        ``pre-migrating``
            The destination has claimed the resources
            (nova.compute.resource_tracker ``_move_claim``).
        ``failed``
            The destination gave up, before *or after* the guest was started
            (nova.compute.manager ``rebuild_instance``).
        ``done``
            The instance's host is the destination
            (nova.compute.resource_tracker ``finish_evacuation``).
        ``completed``
            The source has come back and cleaned up
            (nova.compute.manager ``_destroy_evacuated_instances``). That
            takes ``accepted`` and ``pre-migrating`` ones along.
        """
        return self._migrations.of_host(host)

    def instance_migrations(
        self, instance: model.InstanceId
    ) -> Sequence[model.Migration]:
        """All records of an instance, newest first.

        :raises CellDown: the list could be incomplete.
        """
        found = self._migrations.of_instance(instance)
        if not found and self.instance(instance) is not None:
            # Its cell answers; so an empty list is one, if it still is.
            found = self._migrations.of_instance(instance)
        return migrations.newest_first(found)

    # -- recovery ------------------------------------------------------------

    def targets(
        self, resources: Collection[Mapping[str, int]]
    ) -> Sequence[model.Target]:
        """Hosts that Placement offers for at least one of the requests.

        Whether their services are up or enabled is not looked at.
        """
        return self._placement.targets(resources)

    def evacuate(
        self, instance: model.InstanceId, target: model.HostName
    ) -> None:
        """Ask Nova to rebuild an instance on ``target``.

        Not idempotent: each accepted request is one more rebuild. Whether
        the disk is shared is found out by the target itself.
        """
        api = self._clients.novaclient.servers
        self._change(
            f"evacuate {instance} to {target}",
            lambda: api.evacuate(instance, host=target),
        )

    def repair_state(self, instance: model.InstanceId) -> None:
        """Set vm_state to active and clear the task state (os-resetState).

        Only the record: nothing is done to the guest.
        """
        api = self._clients.novaclient.servers
        self._change(
            f"reset the state of {instance}",
            lambda: api.reset_state(instance, "active"),
        )

    def stop_instance(self, instance: model.InstanceId) -> None:
        """Stop it. An administrator may, even if its owner has locked it."""
        api = self._clients.novaclient.servers
        self._change(f"stop {instance}", lambda: api.stop(instance))

    # -- planned work -------------------------------------------------------

    def live_migrate(self, instance: model.InstanceId) -> None:
        """Whether its disk is copied is found out by Nova (``auto``)."""
        api = self._clients.novaclient.servers
        self._change(
            f"live-migrate {instance}",
            lambda: api.live_migrate(
                instance, host=None, block_migration="auto"
            ),
        )

    def cold_migrate(self, instance: model.InstanceId) -> None:
        """Nova stops a guest that runs; one that is off stays off."""
        api = self._clients.novaclient.servers
        self._change(f"migrate {instance}", lambda: api.migrate(instance))

    def confirm_migration(self, instance: model.InstanceId) -> None:
        api = self._clients.novaclient.servers
        self._change(
            f"confirm the migration of {instance}",
            lambda: api.confirm_resize(instance),
        )

    # -- beyond the port -----------------------------------------------------

    def hypervisor_types(self) -> Mapping[model.HostName, str]:
        """Hypervisor type by service host; ``ironic`` must not be fenced."""
        return self._hypervisors.kinds()

    # -- inside --------------------------------------------------------------

    def _change(self, what: str, send: Callable[[], object]) -> None:
        """Send a request that changes something, once.

        A token is fetched first. If only that took long, the request is not
        sent any more: the right to act was checked before, and has its own
        deadline.
        """
        began = self._clock.monotonic()
        with rest.translated(f"nova: {what}"):
            self._clients.session.get_auth_headers()
            waited = self._clock.monotonic() - began
            if waited > self._request_timeout * (1 - session.ANSWER_SHARE):
                raise exception.ComputeUnavailable(
                    f"nova: {what}: not sent, Keystone took {waited:.1f} s"
                )
            send()
