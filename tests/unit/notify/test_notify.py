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

"""Steps as log lines and as notifications."""

import threading
from unittest import mock

from nova_ha.core import model
from nova_ha.notify import bus
from nova_ha.notify import log
from tests import base
from tests.fakes import clock as clock_fake

CLOCK = clock_fake.ManualClock()

EVENT = model.AuditEvent(
    code="case.fenced",
    severity=model.Severity.ALARM,
    host="cmp1",
    case="case-1",
    message="power off\nobserved",
    details={"device": "bmc1"},
)


class LogTestCase(base.TestCase):
    def test_one_line_whatever_the_message(self):
        self.assertEqual(
            "case.fenced host=cmp1 case=case-1 power off observed",
            log.line(EVENT),
        )


class BusTestCase(base.TestCase):
    def test_payload_and_priority(self):
        notifier = mock.Mock()
        under_test = bus.BusNotifier(notifier, CLOCK)
        under_test.emit(EVENT)
        under_test.close()
        notifier.error.assert_called_once_with(
            {}, "nova_ha.case.fenced", bus.payload(EVENT, CLOCK.utcnow())
        )

    def test_the_time_is_that_of_the_step_not_of_the_bus(self):
        clock = clock_fake.ManualClock()
        told_at = clock.utcnow()
        sent, go_on = [], threading.Event()
        notifier = mock.Mock()
        notifier.error.side_effect = lambda *args: (
            go_on.wait(),
            sent.append(args[2]["at"]),
        )
        under_test = bus.BusNotifier(notifier, clock)
        under_test.emit(EVENT)
        under_test.emit(EVENT)
        clock.advance(600.0)
        go_on.set()
        under_test.close()
        self.assertEqual([told_at.isoformat()] * 2, sent)

    def test_a_failure_does_not_stop_the_next(self):
        notifier = mock.Mock()
        notifier.error.side_effect = [OSError("away"), None]
        under_test = bus.BusNotifier(notifier, CLOCK)
        under_test.emit(EVENT)
        under_test.emit(EVENT)
        under_test.close()
        self.assertEqual(2, notifier.error.call_count)

    def test_a_hung_bus_blocks_nobody(self):
        release = threading.Event()
        self.addCleanup(release.set)
        notifier = mock.Mock()
        notifier.error.side_effect = lambda *_: release.wait()
        under_test = bus.BusNotifier(notifier, CLOCK)
        for _ in range(bus.WAITING + 10):
            under_test.emit(EVENT)
        self.assertGreater(under_test._dropped, 0)
