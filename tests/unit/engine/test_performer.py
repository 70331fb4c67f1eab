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

import dataclasses

from nova_ha import exception
from nova_ha import ports
from nova_ha.core import actions
from nova_ha.core import deeds
from nova_ha.core import events
from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.core import texts
from nova_ha.core.model import PowerState
from nova_ha.engine import jobs
from nova_ha.engine import performer as performer_mod
from tests import base
from tests.fakes import cloud as fakes
from tests.unit.core import builders as make

ON = {"host": "a", "case": "case-a"}
EPOCH = model.Epoch(1)


class PerformerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = fakes.Cloud()
        self.host = self.cloud.hosts["a"]
        self.performer = performer_mod.Performer(
            performer_mod.World(*[self.cloud] * 5),
            self.cloud.clock,
            lambda calls: [call() for call in calls],
        )

    def perform(self, job, epoch=EPOCH):
        return self.performer.perform(job, epoch)

    def act(self, action, epoch=EPOCH):
        return self.perform(jobs.Perform(host="a", action=action), epoch)

    def raises(self, error):
        def call(*_):
            raise error

        return call

    def case(self, **changes):
        return make.case(epoch=EPOCH, **changes)


class StoreTestCase(PerformerTestCase):
    def save(self, version=None, **changes):
        return self.perform(
            jobs.SaveCase(host="a", case=self.case(**changes), version=version)
        )

    def test_save(self):
        self.assertEqual(events.Saved(version=1, **ON), self.save())
        self.assertEqual(events.Saved(version=2, **ON), self.save(1))

    def test_somebody_else_has_written(self):
        self.save()
        event = self.save(None)
        self.assertTrue(event.stale)

    def test_a_deposed_engine_writes_nothing(self):
        self.cloud.epoch = model.Epoch(2)
        self.assertTrue(self.save().stale)
        self.assertEqual({}, self.cloud.stored)

    def test_no_answer_is_not_stale(self):
        self.cloud.save = self.raises(exception.CoordinationUnavailable("x"))
        event = self.save()
        self.assertEqual((False, "x"), (event.stale, event.error))

    def test_load(self):
        self.save()
        self.cloud.verdicts["a"] = "published"
        event = self.perform(jobs.LoadCases())
        self.assertEqual(
            (EPOCH, ((self.case(), 1),), ("published",), ""),
            (event.epoch, event.cases, event.published, event.error),
        )

    def test_load_without_an_answer(self):
        self.cloud.load = self.raises(exception.CoordinationUnavailable("x"))
        self.assertEqual(
            events.CasesLoaded(epoch=EPOCH, error="x"),
            self.perform(jobs.LoadCases()),
        )

    def test_close_uses_up_what_an_operator_has_confirmed(self):
        self.save()
        self.cloud.confirmations["case-a"] = "word"
        job = jobs.CloseCase(host="a", case=self.case(), version=1)
        self.assertEqual(events.Closed(**ON), self.perform(job))
        self.assertEqual({}, self.cloud.confirmations)
        self.assertEqual({}, self.cloud.stored)

    def test_close_without_an_answer(self):
        self.cloud.close = self.raises(exception.CoordinationUnavailable("x"))
        job = jobs.CloseCase(host="a", case=self.case(), version=1)
        self.assertEqual(
            events.ActionFailed(key="Close", error="x", **ON),
            self.perform(job),
        )

    def test_close_by_a_deposed_engine(self):
        self.save()
        self.cloud.epoch = model.Epoch(2)
        job = jobs.CloseCase(host="a", case=self.case(), version=1)
        self.assertTrue(self.perform(job).stale)
        self.assertIn("a", self.cloud.stored)

    def test_close_by_one_deposed_after_the_confirmation_was_used_up(self):
        self.save()
        asked = []

        def depose(epoch, case):
            self.cloud.epoch = model.Epoch(2)

        self.cloud.consume = depose
        self.cloud.close = lambda *arguments: asked.append(arguments)
        job = jobs.CloseCase(host="a", case=self.case(), version=1)
        self.assertTrue(self.perform(job).stale)
        self.assertEqual([], asked)

    def test_publish(self):
        verdict = model.PublishedVerdict(
            host="a", verdict=make.verdict(), at=make.utc(0)
        )
        job = jobs.PublishVerdict(host="a", verdict=verdict)
        self.assertEqual("", self.perform(job).error)
        self.assertEqual({"a": verdict}, self.cloud.verdicts)
        self.cloud.epoch = model.Epoch(2)
        self.assertNotEqual("", self.perform(job).error)

    def test_enrol(self):
        job = jobs.EnrolHost(
            host="a",
            beacon=make.beacon(),
            service=make.service(),
            engines=(),
        )
        self.cloud.hypervisor_types = lambda: {"a": "ironic"}
        self.assertIn("ironic", self.perform(job).record.protected)
        self.assertEqual([("enrol", "a")], self.cloud.calls)
        self.cloud.epoch = model.Epoch(2)
        self.assertIsNone(self.perform(job).record)
        self.assertEqual([("enrol", "a")], self.cloud.calls)

    def test_a_host_of_unknown_kind_is_not_enrolled(self):
        job = jobs.EnrolHost(
            host="a",
            beacon=make.beacon(),
            service=make.service(),
            engines=(),
        )
        self.cloud.hypervisor_types = dict
        event = self.perform(job)
        self.assertIsNone(event.record)
        self.assertIn("discover_hosts", event.error)
        self.assertEqual([], self.cloud.calls)


class QuarantineTestCase(PerformerTestCase):
    SICK = model.Quarantine(reason="3 deaths", since=make.utc(0))

    def keep(self, deed, epoch=EPOCH):
        job = jobs.KeepQuarantine(host="a", deed=deed)
        event = self.perform(job, epoch)
        self.assertEqual(("a", deed), (event.host, event.deed))
        return event.error

    def test_each_deed(self):
        self.assertEqual("", self.keep(deeds.Count(at=make.utc(1))))
        self.assertEqual((make.utc(1),), self.host.incidents)
        self.keep(deeds.Begin(quarantine=self.SICK))
        self.assertEqual(self.SICK, self.host.quarantine)
        self.keep(deeds.Disable(service_id="service-a", reason="sick"))
        self.assertEqual("sick", self.host.disabled_reason)
        self.keep(deeds.End())
        self.assertIsNone(self.host.quarantine)
        self.assertEqual((), self.host.incidents)
        self.keep(deeds.Enable(service_id="service-a"))
        self.assertEqual("", self.host.disabled_reason)

    def test_a_deposed_engine_does_none(self):
        for deed in (
            deeds.Count(at=make.utc(1)),
            deeds.Begin(quarantine=self.SICK),
            deeds.Disable(service_id="service-a", reason="sick"),
        ):
            self.assertNotEqual("", self.keep(deed, model.Epoch(9)))
        self.assertEqual(
            ((), None), (self.host.incidents, self.host.quarantine)
        )
        self.assertEqual([], self.cloud.calls)


class ChangeTestCase(PerformerTestCase):
    CHANGES = (
        actions.ForceDown(service_id="service-a", **ON),
        actions.LiftForceDown(service_id="service-a", **ON),
        actions.Disable(service_id="service-a", reason="why", **ON),
        actions.Enable(service_id="service-a", **ON),
        actions.Evacuate(instance="b0", target="c", **ON),
        actions.Repair(instance="b0", target="b", **ON),
    )

    def test_done(self):
        self.cloud.servers["b0"] = make.instance(
            "b0", host="b", vm_state="error"
        )
        for action in self.CHANGES:
            if not isinstance(action, actions.Evacuate):
                self.assertEqual(
                    events.ActionDone(key=action.key, **ON), self.act(action)
                )
        self.assertEqual(
            [
                ("force_down", "a", True),
                ("force_down", "a", False),
                ("disable", "a"),
                ("enable", "a"),
                ("repair", "b0"),
            ],
            self.cloud.calls,
        )

    def test_a_deposed_engine_changes_nothing(self):
        fence = actions.Fence(boot_id="boot-1", **ON)
        for action in (*self.CHANGES, actions.Consume(**ON), fence):
            self.act(action, epoch=model.Epoch(9))
        self.assertEqual([], self.cloud.calls)
        self.assertIs(PowerState.ON, self.host.power)

    def test_refused_or_unanswered(self):
        for error, refused in (
            (exception.ComputeRefused("no", 409), True),
            (exception.ComputeUnavailable("no"), False),
        ):
            self.cloud.force_down = self.raises(error)
            self.assertEqual(
                events.ActionFailed(
                    key="ForceDown", error="no", refused=refused, **ON
                ),
                self.act(self.CHANGES[0]),
            )

    def test_consume(self):
        self.cloud.confirmations["case-a"] = "word"
        self.act(actions.Consume(**ON))
        self.assertEqual({}, self.cloud.confirmations)

    def test_a_lease_that_ends_while_it_reads(self):
        self.cloud.servers["b0"] = make.instance(
            "b0", host="b", vm_state="error"
        )
        self._depose_after("instance")
        self.act(actions.Repair(instance="b0", target="b", **ON))
        self.assertEqual([], self.cloud.calls)

    def _depose_after(self, method):
        """Somebody else leads when that call of a port returns."""
        real = getattr(self.cloud, method)

        def slow(*arguments):
            found = real(*arguments)
            self.cloud.epoch = model.Epoch(2)
            return found

        setattr(self.cloud, method, slow)

    def test_only_a_running_instance_in_error_is_repaired(self):
        for changes in ({"host": "b"}, {"host": "c", "vm_state": "error"}):
            self.cloud.servers["b0"] = make.instance("b0", **changes)
            self.act(actions.Repair(instance="b0", target="b", **ON))
        del self.cloud.servers["b0"]
        self.act(actions.Repair(instance="b0", target="b", **ON))
        self.assertEqual([], self.cloud.calls)


class EvacuateTestCase(PerformerTestCase):
    def evacuate(self, epoch=EPOCH):
        event = self.act(
            actions.Evacuate(instance="a0", target="b", **ON), epoch
        )
        return event.accepted, event.refused

    def test_accepted(self):
        self.host.crash()
        self.assertEqual((True, False), self.evacuate())

    def test_refused_has_no_effect(self):
        self.cloud.evacuate = self.raises(exception.ComputeRefused("409"))
        self.assertEqual((False, True), self.evacuate())

    def test_not_sent_has_none_either(self):
        self.assertEqual((False, True), self.evacuate(model.Epoch(9)))

    def test_an_answer_of_any_length_is_bounded(self):
        page = exception.ComputeError("<html>" * 10000, 502)
        self.cloud.evacuate = self.raises(page)
        event = self.act(actions.Evacuate(instance="a0", target="b", **ON))
        self.assertLessEqual(len(event.error), texts.MOST)

    def test_of_anything_else_nobody_knows(self):
        for error in (
            exception.ComputeUnavailable("timed out"),
            exception.ComputeError("500", 500),
        ):
            self.cloud.evacuate = self.raises(error)
            self.assertEqual((False, False), self.evacuate())


class FenceTestCase(PerformerTestCase):
    """The last look: whatever has changed since the verdict forbids it."""

    def setUp(self):
        super().setUp()
        self.host.agent = self.host.compute = False

    def fence(self, epoch=EPOCH, **changes):
        values = {
            "boot_id": self.host.boot_id,
            "service": self.host.service(),
        } | changes
        return self.act(actions.Fence(**values, **ON), epoch).outcome

    def check_forbidden(self, outcome, word, *, alive=False):
        self.assertIn(word, outcome.aborted)
        self.assertEqual(alive, outcome.alive)
        self.assertIsNone(outcome.evidence)
        self.assertEqual([], self.cloud.calls)

    def test_nothing_has_changed(self):
        outcome = self.fence()
        self.assertTrue(outcome.off_sent)
        self.assertIsNotNone(outcome.evidence)

    def test_a_beacon(self):
        self.host.agent = True
        self.check_forbidden(self.fence(), "beacon", alive=True)

    def test_a_report(self):
        known = dataclasses.replace(
            self.host.service(), reported_at=make.utc(-5)
        )
        outcome = self.fence(service=known)
        self.check_forbidden(outcome, "reported", alive=True)

    def test_an_operator_has_forced_it_down_meanwhile(self):
        known = self.host.service()
        self.host.forced_down = True
        self.check_forbidden(self.fence(service=known), "forced down")
        self.assertTrue(self.fence().off_sent)

    def test_an_operator_has_disabled_it_meanwhile(self):
        known = self.host.service()
        self.host.disabled_reason = "RAM"
        self.check_forbidden(self.fence(service=known), "disabled")
        self.assertTrue(self.fence().off_sent)

    def test_a_goodbye(self):
        self.host.goodbye = make.goodbye()
        self.check_forbidden(self.fence(), "goodbye", alive=True)
        outcome = self.fence(goodbye=make.goodbye(ttl=1.0))
        self.check_forbidden(outcome, "goodbye", alive=True)

    def test_a_goodbye_that_the_verdict_knew(self):
        self.host.goodbye = make.goodbye()
        self.assertTrue(self.fence(goodbye=make.goodbye()).off_sent)

    def test_switches(self):
        self.cloud.control = model.Control(armed=True, paused=True)
        self.check_forbidden(self.fence(), "paused")
        self.cloud.control = model.Control()
        self.check_forbidden(self.fence(), "disarmed")

    def test_flags_of_the_host(self):
        self.host.maintenance = "RAM"
        self.check_forbidden(self.fence(), "RAM")
        self.host.maintenance, self.host.protected = "", "an engine"
        self.check_forbidden(self.fence(), "an engine")

    def test_no_longer_enrolled(self):
        self.host.facts = lambda: model.HostFacts(host="a")
        self.check_forbidden(self.fence(), "enrolled")

    def test_what_cannot_be_read_forbids(self):
        for name in ("read_control", "read_host", "services"):
            setattr(
                self.cloud,
                name,
                self.raises(exception.CoordinationUnavailable("away")),
            )
            self.check_forbidden(self.fence(), "away")
            delattr(self.cloud, name)

    def test_the_lease_ran_out_while_looking(self):
        real = self.cloud.services

        def slow():
            self.cloud.epoch = model.Epoch(2)
            return real()

        self.cloud.services = slow
        self.check_forbidden(self.fence(), "epoch")

    def test_what_happens_while_nova_thinks_is_seen(self):
        real = self.cloud.services

        def slow():
            self.cloud.control = model.Control(armed=True, paused=True)
            return real()

        self.cloud.services = slow
        self.check_forbidden(self.fence(), "paused")

    def test_not_leading(self):
        self.check_forbidden(self.fence(model.Epoch(9)), "epoch")

    def test_signs_of_life_do_not_stop_a_host_from_being_fenced_again(self):
        self.host.agent = True
        outcome = self.fence(refencing=True, service=None)
        self.assertTrue(outcome.off_sent)

    def test_switches_do(self):
        self.cloud.control = model.Control(armed=True, paused=True)
        self.check_forbidden(self.fence(refencing=True), "paused")

    def test_power_is_read_without_touching(self):
        event = self.act(actions.ReadPower(**ON))
        self.assertIs(PowerState.ON, event.reading.state)
        self.assertEqual(self.cloud.clock.monotonic(), event.began)
        self.assertEqual([], self.cloud.calls)


class SignsTestCase(PerformerTestCase):
    """The last look at a source beside Nova's."""

    def setUp(self):
        super().setUp()
        self.host.agent = self.host.compute = False
        self.reader = Reader()
        self.performer = performer_mod.Performer(
            performer_mod.World(*[self.cloud] * 5, sign_readers=[self.reader]),
            self.cloud.clock,
            lambda calls: [call() for call in calls],
        )

    def fence(self, **signs):
        action = actions.Fence(
            boot_id=self.host.boot_id,
            service=self.host.service(),
            signs=signs,
            **ON,
        )
        return self.act(action).outcome

    def test_one_that_has_moved_forbids(self):
        outcome = self.fence(storage="boot-1 6")
        self.assertTrue(outcome.alive)
        self.assertIn("storage heartbeat moves", outcome.aborted)
        self.assertEqual([], self.cloud.calls)

    def test_one_that_has_not_does_not(self):
        self.assertTrue(self.fence(storage="boot-1 7").off_sent)

    def test_nor_one_that_cannot_be_read(self):
        self.reader.sign = None
        self.assertTrue(self.fence(storage="boot-1 6").off_sent)

    def test_nor_one_that_the_verdict_did_not_rest_on(self):
        self.assertTrue(self.fence().off_sent)
        self.assertEqual([], self.reader.asked)


class Reader(ports.SignReader):
    name = sources.STORAGE

    def __init__(self):
        self.sign = sources.Sign(value="boot-1 7")
        self.asked = []

    def read(self, host):
        self.asked.append(host)
        return self.sign


class SurveyTestCase(PerformerTestCase):
    def survey(self, **what):
        return self.act(actions.TakeSurvey(**what, **ON)).survey

    def test_only_what_was_asked_for(self):
        survey = self.survey()
        self.assertEqual(
            (None, None, None),
            (survey.instances, survey.targets, survey.power),
        )

    def test_everything(self):
        survey = self.survey(instances=True, targets=True, power=True)
        self.assertEqual({"a0", "a1"}, {one.id for one in survey.instances})
        self.assertEqual(4, len(survey.targets))
        self.assertIs(PowerState.ON, survey.power.state)

    def test_each_size_is_asked_for_once(self):
        asked = []
        self.cloud.targets = lambda sizes: asked.extend(sizes) or ()
        self.survey(
            instances=True,
            targets=True,
            requests=({"VCPU": 1}, {"VCPU": 2, "MEMORY_MB": 5}),
        )
        self.assertEqual([{"MEMORY_MB": 5, "VCPU": 2}, {"VCPU": 1}], asked)

    def test_it_began_before_the_first_question(self):
        began = self.cloud.clock.now
        real = self.cloud.migrations

        def slow(host):
            self.cloud.clock.now += 3
            return real(host)

        self.cloud.migrations = slow
        event = self.act(actions.TakeSurvey(**ON))
        self.assertEqual(began, event.began)

    def test_histories(self):
        """Records that name other hosts only; each record once."""
        elsewhere = make.migration(1, "error", "c", "b", instance="x")
        both = make.migration(2, "failed", "c", "a", instance="x")
        listed = make.migration(3, "error", "d", "c", instance="a0")
        self.cloud.records = [elsewhere, both, listed]
        survey = self.survey(instances=True, histories=True, pending=("x",))
        self.assertEqual(
            [1, 2, 3], sorted(one.id for one in survey.migrations)
        )
        survey = self.survey(instances=True, pending=("x",))
        self.assertEqual([2], [one.id for one in survey.migrations])

    def test_half_an_answer_is_none(self):
        self.cloud.targets = self.raises(exception.CellDown("cell1"))
        event = self.act(
            actions.TakeSurvey(instances=True, targets=True, **ON)
        )
        self.assertEqual(
            events.ActionFailed(key="TakeSurvey", error="cell1", **ON), event
        )
