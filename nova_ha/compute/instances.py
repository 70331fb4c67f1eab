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

"""The complete list of a host's instances.

``GET /servers/detail?host=X`` leaves out, without a word, the instances of a
cell that does not answer (nova.compute.multi_cell_list), and those that are
soft-deleted. An empty answer can so mean anything. Two ways are compared:

1. the list, for the details;
2. ``GET /os-hypervisors/{id}?with_servers=true``, for the identities. Nova
   serves it from the one cell that the host is mapped to
   (nova.compute.api.HostAPI ``instance_get_all_by_host``) and answers with
   an error if that cell is down.

What differs is looked up server by server, which names a cell that is down
since 2.69. Nova searches all cells for a hypervisor, so (2) also fails when
*another* cell is down; then everything that holds an allocation on the host
in Placement takes its place.
"""

import dataclasses
from collections.abc import Collection, Sequence

from oslo_log import log as logging

from nova_ha import exception
from nova_ha.compute import hypervisors as hypervisors_module
from nova_ha.compute import parse
from nova_ha.compute import placement as placement_module
from nova_ha.compute import rest
from nova_ha.compute import session
from nova_ha.core import model

LOG = logging.getLogger(__name__)


class Instances:
    """Reads servers."""

    def __init__(
        self,
        nova: rest.Reader,
        hypervisors: hypervisors_module.Hypervisors,
        placement: placement_module.Placement,
        page_size: int,
        *,
        ask_images: bool = False,
    ) -> None:
        self._nova = nova
        self._ask_images = ask_images
        self._hypervisors = hypervisors
        self._placement = placement
        self._page_size = page_size

    def one(self, instance: model.InstanceId) -> model.Instance | None:
        """An instance, None where Nova does not know it.

        :raises CellDown: Nova knows it, but cannot say anything about it.
        """
        path = f"/servers/{instance}"
        try:
            answer = self._nova.get(path)
        except exception.ComputeRefused as error:
            if error.status == 404:
                return None
            raise
        with rest.translated(f"nova: GET {path}"):
            entry = answer["server"]
            if parse.of_down_cell(entry):
                raise exception.CellDown(
                    f"the cell of instance {instance} is down"
                )
            return parse.instance(entry)

    def of_host(self, host: model.HostName) -> Sequence[model.Instance]:
        """All instances that are booked on a host, by name.

        :raises CellDown: nobody can say whether the list is complete.
        """
        found = self._listed(host)
        consumers = self._placement.consumers(host)
        booked = self._booked(host)
        if booked is not None:
            doubtful = set(booked ^ found.keys())
        else:
            doubtful = self._doubtful(host, found.keys(), consumers.keys())
        for identity in sorted(doubtful):
            self._settle(host, identity, found)
        # An allocation tells exactly what the instance was granted here,
        # whatever the rules were when it was booted.
        images = self._images_of(found.values())
        return [
            dataclasses.replace(
                one,
                resources=consumers.get(one.id, one.resources),
                image_properties=images.get(one.image, {}),
            )
            for one in sorted(found.values(), key=lambda o: (o.name, o.id))
        ]

    def _images_of(
        self, instances: Collection[model.Instance]
    ) -> dict[str, dict[str, str]]:
        """The properties of the images of instances, by the images' ids.

        :raises ComputeUnavailable: Nova, or Glance behind it.
        """
        if not self._ask_images:
            return {}
        return {
            image: self._properties(image)
            for image in sorted({one.image for one in instances} - {""})
        }

    def _properties(self, image: str) -> dict[str, str]:
        """Empty where the image has been deleted."""
        path = f"/images/{image}"
        try:
            answer = self._nova.get(path, microversion=session.IMAGE_VERSION)
        except exception.ComputeRefused as error:
            if error.status == 404:
                return {}
            raise
        with rest.translated(f"nova: GET {path}"):
            known = answer["image"]["metadata"]
            return {key: str(value) for key, value in known.items()}

    def _listed(
        self, host: model.HostName
    ) -> dict[model.InstanceId, model.Instance]:
        path = "/servers/detail"
        found: dict[model.InstanceId, model.Instance] = {}
        for page in self._nova.pages(
            path,
            "servers",
            {"all_tenants": 1, "host": host, "limit": self._page_size},
            marker="id",
        ):
            with rest.translated(f"nova: GET {path}"):
                found.update((i.id, i) for i in map(parse.instance, page))
        return found

    def _booked(
        self, host: model.HostName
    ) -> frozenset[model.InstanceId] | None:
        """The identities, from the host's own cell; None: not answered.

        :raises ComputeError: Nova knows no such hypervisor.
        """
        node = self._hypervisor(host)
        path = f"/os-hypervisors/{node.id}"
        try:
            answer = self._nova.get(
                path,
                {"with_servers": "true"},
                microversion=session.HYPERVISOR_VERSION,
            )
        except exception.ComputeUnavailable as error:
            LOG.warning("%s; asking Placement instead", error)
            return None
        except exception.ComputeRefused:
            self._hypervisors.forget(node)
            raise
        with rest.translated(f"nova: GET {path}"):
            return frozenset(
                model.InstanceId(server["uuid"])
                for server in answer["hypervisor"]["servers"]
            )

    def _hypervisor(
        self, host: model.HostName
    ) -> hypervisors_module.Hypervisor:
        nodes = self._hypervisors.of_host(host)
        if not nodes:
            raise exception.ComputeError(
                f"Nova has no hypervisor for the compute service on {host}; "
                "has its nova-compute ever run?"
            )
        return nodes[0]

    def _doubtful(
        self,
        host: model.HostName,
        listed: Collection[str],
        consumers: Collection[str],
    ) -> set[model.InstanceId]:
        """Without an answer of the host's cell: what Placement knows more.

        :raises CellDown: neither list names anything.
        """
        if not listed and not consumers:
            raise exception.CellDown(
                f"nothing shows whether the cell of host {host} answers"
            )
        return {
            model.InstanceId(consumer)
            for consumer in consumers
            if consumer not in listed
        }

    def _settle(
        self,
        host: model.HostName,
        identity: model.InstanceId,
        found: dict[model.InstanceId, model.Instance],
    ) -> None:
        """Look up what the two answers disagree about."""
        current = self.one(identity)
        if current is not None and current.host == host:
            found[identity] = current
        else:
            found.pop(identity, None)
