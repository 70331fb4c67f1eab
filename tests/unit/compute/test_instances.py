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

"""A list of instances is complete, or an error."""

import fixtures
from keystoneauth1 import exceptions as ks_exc

from nova_ha import exception
from nova_ha.compute import hypervisors
from nova_ha.compute import instances
from nova_ha.compute import placement
from tests import base
from tests.unit.compute import fake_api
from tests.unit.compute import test_hypervisors
from tests.unit.compute import test_parse

HOST = "cmp1"
SHOW = "/os-hypervisors/rp-cmp1"


def server(name: str, host: str | None = HOST) -> dict[str, object]:
    return test_parse.SERVER | {
        "id": name,
        "name": name,
        "OS-EXT-SRV-ATTR:host": host,
    }


class TestInstances(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger("nova_ha"))
        self.api = fake_api.FakeApi()
        self.held: dict[str, dict[str, int]] = {}
        self.listed = [server(name) for name in ("a", "b", "c")]
        self.booked(["a", "b", "c"])
        self.api.answers["/servers/detail"] = fake_api.paged(
            "servers", lambda _params: self.listed
        )
        self.api.answers[test_hypervisors.PATH] = fake_api.paged(
            "hypervisors", lambda _params: [test_hypervisors.entry(HOST)]
        )
        self.api.answers["/resource_providers"] = {
            "resource_providers": [{"uuid": "rp-cmp1"}]
        }
        self.api.answers["/resource_providers/rp-cmp1/allocations"] = (
            lambda _params: {
                "allocations": {
                    consumer: {"resources": amounts}
                    for consumer, amounts in self.held.items()
                }
            }
        )
        self.instances = self.reading(ask_images=False)

    def reading(self, *, ask_images: bool) -> instances.Instances:
        reader = self.api.reader()
        found = hypervisors.Hypervisors(reader, fake_api.FakeClock(), 10)
        return instances.Instances(
            reader,
            found,
            placement.Placement(reader, found),
            page_size=2,
            ask_images=ask_images,
        )

    def booked(self, names: list[str] | Exception) -> None:
        self.api.answers[SHOW] = (
            names
            if isinstance(names, Exception)
            else {"hypervisor": {"servers": [{"uuid": n} for n in names]}}
        )

    def show(self, name: str, host: str | None = HOST) -> None:
        self.api.answers[f"/servers/{name}"] = {"server": server(name, host)}

    def cell_down(self, name: str) -> None:
        self.api.answers[f"/servers/{name}"] = {
            "server": {"id": name, "status": "UNKNOWN"}
        }

    def names(self) -> list[str]:
        return [one.name for one in self.instances.of_host(HOST)]

    def assert_cell_down(self) -> None:
        self.assertRaises(exception.CellDown, self.instances.of_host, HOST)

    def test_both_agree(self) -> None:
        self.assertEqual(["a", "b", "c"], self.names())
        query = self.api.calls[0][1]
        self.assertEqual((1, HOST), (query["all_tenants"], query["host"]))

    def test_what_is_held_counts_for_more_than_the_flavor(self) -> None:
        self.held = {"a": {"VCPU": 7}}
        found = {i.id: i.resources for i in self.instances.of_host(HOST)}
        self.assertEqual({"VCPU": 7}, found["a"])
        self.assertEqual(2, found["b"]["VCPU"])

    def of_images(self) -> list[object]:
        reading = self.reading(ask_images=True)
        return [one.image_properties for one in reading.of_host(HOST)]

    def test_properties_of_images(self) -> None:
        """One request for each image, none for volumes."""
        for entry, image in zip(self.listed, ("i1", "i1", ""), strict=True):
            entry["image"] = {"id": image} if image else ""
        self.api.answers["/images/i1"] = {
            "image": {"metadata": {"ha": True, "n": "1"}}
        }
        told = {"ha": "True", "n": "1"}
        self.assertEqual([told, told, {}], self.of_images())
        paths = [call[0] for call in self.api.calls]
        self.assertEqual(1, paths.count("/images/i1"))

    def test_an_image_that_was_deleted_has_none(self) -> None:
        self.listed = [server("a") | {"image": {"id": "i1"}}]
        self.booked(["a"])
        self.api.answers["/images/i1"] = ks_exc.NotFound()
        self.assertEqual([{}], self.of_images())

    def test_an_image_that_cannot_be_read(self) -> None:
        """To guess could mean to evacuate what is excluded."""
        self.listed = [server("a") | {"image": {"id": "i1"}}]
        self.booked(["a"])
        for error, told in (
            (ks_exc.Forbidden(), exception.ComputeRefused),
            (ks_exc.ServiceUnavailable(), exception.ComputeUnavailable),
        ):
            self.api.answers["/images/i1"] = error
            self.assertRaises(told, self.of_images)

    def test_missing_in_the_list(self) -> None:
        self.booked(["a", "b", "c", "d"])
        self.show("d")
        self.assertEqual(["a", "b", "c", "d"], self.names())

    def test_missing_because_of_its_cell(self) -> None:
        self.listed = []
        self.cell_down("a")
        self.assert_cell_down()

    def test_moved_or_deleted_in_between(self) -> None:
        self.booked(["c"])
        self.show("a", host="cmp2")  # b is not known at all
        self.assertEqual(["c"], self.names())

    def test_arrived_in_between(self) -> None:
        self.booked(["a", "b"])
        self.show("c")
        self.assertEqual(["a", "b", "c"], self.names())

    def test_really_empty(self) -> None:
        self.listed = []
        self.booked([])
        self.assertEqual([], self.names())

    def test_another_cell_is_down(self) -> None:
        """Then Placement names who else may be there."""
        self.booked(ks_exc.InternalServerError())
        self.held = {name: {"VCPU": 1} for name in ("a", "d", "e", "m")}
        self.show("d")
        self.show("e", host="cmp2")  # evacuated; m is a migration
        self.assertEqual(["a", "b", "c", "d"], self.names())

    def test_this_cell_is_down(self) -> None:
        self.booked(ks_exc.InternalServerError())
        self.listed = []
        self.held = {"a": {"VCPU": 1}}
        self.cell_down("a")
        self.assert_cell_down()

    def test_nothing_is_known_at_all(self) -> None:
        self.booked(ks_exc.InternalServerError())
        self.listed = []
        self.assert_cell_down()

    def test_hypervisor_is_gone(self) -> None:
        self.booked(ks_exc.NotFound())
        self.assertRaises(
            exception.ComputeRefused, self.instances.of_host, HOST
        )
        # Another one has taken its place.
        self.api.answers[test_hypervisors.PATH] = fake_api.paged(
            "hypervisors",
            lambda _params: [test_hypervisors.entry(HOST) | {"id": "rp-new"}],
        )
        self.api.answers["/os-hypervisors/rp-new"] = {
            "hypervisor": {"servers": [{"uuid": n} for n in "abc"]}
        }
        self.assertEqual(["a", "b", "c"], self.names())

    def test_never_had_one(self) -> None:
        error = self.assertRaises(
            exception.ComputeError, self.instances.of_host, "cmp9"
        )
        self.assertIn("cmp9", str(error))

    def test_placement_is_away(self) -> None:
        self.api.answers["/resource_providers"] = ks_exc.ServiceUnavailable()
        self.assertRaises(
            exception.ComputeUnavailable, self.instances.of_host, HOST
        )

    def test_one(self) -> None:
        self.show("a")
        self.assertEqual("a", self.instances.one("a").name)
        self.assertIsNone(self.instances.one("x"))
        self.cell_down("b")
        self.assertRaises(exception.CellDown, self.instances.one, "b")
        self.api.answers["/servers/c"] = ks_exc.Forbidden()
        self.assertRaises(exception.ComputeRefused, self.instances.one, "c")
