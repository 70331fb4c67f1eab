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

"""Classes come from the namespace; bad ones do not stop the scheduler."""

from importlib import metadata
from unittest import mock

import fixtures
from nova import conf as nova_conf
from nova.scheduler import filters as nova_filters
from nova.scheduler import weights as nova_weights
from oslo_config import fixture as config_fixture

from nova_ha import exception
from nova_ha.scheduler import loading
from nova_ha.scheduler.legacy import capacity
from tests import base


class Base:
    """What plug-ins of the test's namespace are derived from."""


class Own(Base):
    """A class of somebody else's."""


class ComputeFilter(Base):
    """Named as one of Nova's."""


class CoreFilter(nova_filters.BaseHostFilter):
    """Somebody else's, with the name of a legacy filter."""


class ThirdFilter(nova_filters.BaseHostFilter):
    """A good filter of somebody else's."""


class FailingFilter(nova_filters.BaseHostFilter):
    """Can be imported, but not made."""

    def __init__(self) -> None:
        raise KeyError("no [rack] section")


class EndingWeigher(nova_weights.BaseHostWeigher):
    """Ends the process instead of being made."""

    def __init__(self) -> None:
        raise SystemExit("no racks")

    def _weigh_object(self, obj: object, weight_properties: object) -> float:
        return 0.0


class Stranger:
    """No plug-in."""


NOT_A_CLASS = "oops"
NAMESPACE = "nova_ha.test.namespace"
HERE = "tests.unit.scheduler.test_loading"
TAKEN = {"ComputeFilter": "Nova's compute_filter"}


class LoadingTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger("nova_ha"))

    def install(self, namespace: str, **values: str) -> None:
        """Nothing but these plug-ins are installed."""
        points = [
            metadata.EntryPoint(name=name, value=value, group=namespace)
            for name, value in values.items()
        ]
        patch = mock.patch.object(
            metadata, "entry_points", return_value=points
        )
        patch.start()
        self.addCleanup(patch.stop)


class TestLoading(LoadingTest):
    def load(self, *values: str) -> loading.Offer:
        self.install(
            NAMESPACE,
            **{f"plugin{number}": one for number, one in enumerate(values)},
        )
        return loading.load(NAMESPACE, Base, TAKEN)

    def names(self, *values: str) -> list[str]:
        return [one.__name__ for one in self.load(*values).classes]

    def test_class(self) -> None:
        self.assertEqual(["Own"], self.names(f"{HERE}:Own"))
        self.assertEqual("", self.log.output)

    def test_broken_one_is_named_and_skipped(self) -> None:
        offer = self.load("nova_ha.no_such_module:Broken", f"{HERE}:Own")
        self.assertEqual((Own,), offer.classes)
        self.assertIn("plugin0: nova_ha.no_such_module", self.log.output)
        self.assertIn("No module named", offer.unusable["Broken"])
        self.assertIn("No module named", offer.unusable["plugin0"])

    def test_whatever_a_module_does_when_imported(self) -> None:
        for error in (AssertionError("wrong"), SystemExit(3), KeyError("k")):
            with mock.patch.object(
                metadata.EntryPoint, "load", side_effect=error
            ):
                offer = self.load("bad:Broken")
            self.assertIn(type(error).__name__, offer.unusable["Broken"])

    def test_name_of_nova_is_refused(self) -> None:
        self.assertEqual([], self.names(f"{HERE}:ComputeFilter"))
        self.assertIn("has the name of Nova's", self.log.output)

    def test_second_of_a_name_is_refused(self) -> None:
        self.assertEqual(["Own"], self.names(f"{HERE}:Own", f"{HERE}:Own"))
        self.assertIn("has the name of plug-in plugin0", self.log.output)

    def test_not_a_class(self) -> None:
        offer = self.load(f"{HERE}:NOT_A_CLASS")
        self.assertIn("is not a Base", offer.unusable["NOT_A_CLASS"])

    def test_class_of_another_kind(self) -> None:
        offer = self.load(f"{HERE}:Stranger")
        self.assertIn("is not a Base", offer.unusable["Stranger"])


class TestFilters(LoadingTest):
    def setUp(self) -> None:
        super().setUp()
        self.conf = self.useFixture(config_fixture.Config(nova_conf.CONF))

    def enable(self, *names: str) -> None:
        self.conf.config(group="filter_scheduler", enabled_filters=names)

    def names(self) -> list[str]:
        return [one.__name__ for one in loading.all_filters()]

    def test_ours_are_all_usable(self) -> None:
        found = self.names()
        self.assertIn("HostLivenessFilter", found)
        self.assertIn("AggregateRamFilter", found)
        self.assertNotIn("ERROR", self.log.output)

    def test_broken_one_that_is_not_enabled(self) -> None:
        self.install(
            loading.FILTERS, Bad="no_such:Bad", Good=f"{HERE}:ThirdFilter"
        )
        self.enable("ThirdFilter")
        self.assertEqual(["ThirdFilter"], self.names())
        self.assertIn("Bad: no_such:Bad cannot be imported", self.log.output)

    def test_broken_one_that_is_enabled(self) -> None:
        self.install(loading.FILTERS, bad="no_such:BadFilter")
        self.enable("ComputeFilter", "BadFilter")
        error = self.assertRaises(exception.ConfigError, loading.all_filters)
        self.assertIn("BadFilter cannot be used", str(error))
        self.assertIn("No module named 'no_such'", str(error))

    def test_one_that_cannot_be_made_and_is_not_enabled(self) -> None:
        self.install(loading.FILTERS, x=f"{HERE}:FailingFilter")
        self.enable("ComputeFilter")
        self.assertEqual(["FailingFilter"], self.names())

    def test_one_that_cannot_be_made_and_is_enabled(self) -> None:
        self.install(loading.FILTERS, x=f"{HERE}:FailingFilter")
        self.enable("ComputeFilter", "FailingFilter")
        error = self.assertRaises(exception.ConfigError, loading.all_filters)
        self.assertIn(f"FailingFilter ({HERE}:FailingFilter)", str(error))
        self.assertIn("KeyError: 'no [rack] section'", str(error))
        self.assertIn("[filter_scheduler] enabled_filters", str(error))

    def test_broken_one_that_nova_has_itself(self) -> None:
        self.install(loading.FILTERS, x="no_such:ComputeFilter")
        self.enable("ComputeFilter")
        self.assertEqual([], self.names())

    def test_legacy_gives_way_to_a_plugin(self) -> None:
        self.install(
            loading.FILTERS,
            CoreFilter="nova_ha.scheduler.legacy.capacity:CoreFilter",
            own=f"{HERE}:CoreFilter",
        )
        self.assertEqual([CoreFilter], loading.all_filters())
        self.assertNotIn("ERROR", self.log.output)

    def test_legacy_gives_way_to_a_class_in_nova_conf(self) -> None:
        self.assertIn(capacity.CoreFilter, loading.all_filters())
        self.conf.config(
            group="filter_scheduler",
            available_filters=[
                "nova.scheduler.filters.all_filters",
                f"{HERE}.CoreFilter",
            ],
        )
        self.assertNotIn(capacity.CoreFilter, loading.all_filters())

    def test_weighers(self) -> None:
        self.install(loading.WEIGHERS, Bad="no_such:Bad")
        self.assertEqual([], loading.all_weighers())
        self.assertIn("cannot be imported", self.log.output)

    def test_weigher_that_cannot_be_made(self) -> None:
        """Nova makes all of them: so it is in use."""
        self.install(loading.WEIGHERS, x=f"{HERE}:EndingWeigher")
        error = self.assertRaises(exception.ConfigError, loading.all_weighers)
        self.assertIn(f"EndingWeigher ({HERE}:EndingWeigher)", str(error))
        self.assertIn("SystemExit: no racks", str(error))
        self.assertIn("[filter_scheduler] weight_classes", str(error))
