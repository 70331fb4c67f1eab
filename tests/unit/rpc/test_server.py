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

"""An engine's end of the bus, and what may come over it."""

import threading
import unittest.mock

import oslo_messaging

from nova_ha import clock
from nova_ha import exception
from nova_ha.assembly import tree_store
from nova_ha.rpc import messages
from nova_ha.rpc import server
from tests.unit.cmd import test_cli_samples as samples
from tests.unit.rpc import bus_case
from tests.unit.rpc import test_policies


class HostileTest(bus_case.BusCase):
    def setUp(self):
        super().setUp()
        self.serve()

    def test_no_message_ends_the_server(self):
        call = self.raw().call
        for body in ("", "{}", "[]", "x" * 100_000, 7, None, '"\\ud800"'):
            reply = call({}, "switch", body=body)
            self.assertEqual("error", reply["error"])
            self.assertGreater(300, len(reply["text"]))
        for method, arguments in (
            ("nothing_of_the_kind", {}),
            ("_store", {}),
            ("__init__", {}),
            ("target", {}),
            ("switch", {}),
            ("switch", {"body": "{}", "other": 1}),
        ):
            self.assertRaises(
                (
                    oslo_messaging.RemoteError,
                    oslo_messaging.MessagingException,
                    TypeError,
                ),
                call,
                {},
                method,
                **arguments,
            )
        self.assertEqual([], self.store.calls)
        self.assertEqual(self.store.pictured, self.open().picture())

    def test_an_answer_that_the_bus_would_not_take(self):
        with unittest.mock.patch.object(messages, "LARGEST_ANSWER", 100):
            error = self.assertRaises(
                exception.NovaHaError, self.open().picture
            )
        self.assertIn("are more than 100", str(error))


class VersionTest(bus_case.BusCase):
    """Releases one apart."""

    def test_an_older_command_asks_a_newer_engine(self):
        newer = oslo_messaging.Target(version="1.1")
        path = "nova_ha.rpc.endpoint.Endpoint.target"
        with unittest.mock.patch(path, newer):
            self.serve()
        self.assertEqual(self.store.pictured, self.open().picture())

    def test_what_a_newer_command_adds_to_a_body_is_ignored(self):
        self.serve()
        reply = self.raw().call(
            {}, "switch", body='{"v": 1, "paused": true, "later": [1]}'
        )
        self.assertIn("answer", reply)

    def test_what_a_newer_engine_adds_to_an_answer_is_ignored(self):
        reply = {"answer": '{"v": 1, "bar": null, "later": {}}'}
        self.assertEqual(
            messages.Cleared(), messages.opened(reply, messages.Cleared, "x")
        )

    def test_an_error_of_a_kind_that_is_not_known_yet(self):
        error = self.assertRaises(
            exception.NovaHaError,
            messages.opened,
            {"error": "later", "text": "why"},
            messages.Nothing,
            "x",
        )
        self.assertEqual("why", str(error))

    def test_a_newer_command_asks_an_older_engine(self):
        older = oslo_messaging.Target(version="0.9")
        path = "nova_ha.rpc.endpoint.Endpoint.target"
        with unittest.mock.patch(path, older):
            self.serve()
            error = self.assertRaises(
                exception.NovaHaError, self.open().picture
            )
        self.assertIn("does not serve picture", str(error))
        self.assertIn("--direct", str(error))


class KeystoneTest(bus_case.BusCase):
    def test_a_tenant_is_refused_and_an_administrator_is_named(self):
        engine = self.serve()
        told = {"roles": [{"name": "member"}]}
        keystone = unittest.mock.Mock()
        keystone.get.return_value.json.side_effect = lambda: {
            "token": {
                "user": {"id": "u", "name": "jane", "domain": {"name": "D"}},
                **told,
            }
        }
        with unittest.mock.patch.object(
            engine._callers.__class__,
            "identify",
            server.callers.KeystoneCallers(keystone).identify,
        ):
            call = self.raw().call
            context = {"token": "t", "by": "root@x"}
            body = test_policies.BODIES["switch"]
            reply = call(context, "switch", body=body)
            self.assertEqual("forbidden", reply["error"])
            self.assertEqual([], self.store.calls)
            told["roles"] = [{"name": "admin"}]
            self.assertIn("answer", call(context, "switch", body=body))
        self.assertEqual(
            [("switch", "jane@D (root@x)", "", None, True)], self.store.calls
        )


class LifeTest(bus_case.BusCase):
    def test_nothing_is_served_unless_asked_for(self):
        conf = self.configured(enabled=False)
        with unittest.mock.patch.object(server, "Server") as made:
            with server.opened(conf, self.clock):
                pass
        made.assert_not_called()

    def test_it_ends_with_the_context(self):
        connect = unittest.mock.patch.object(
            tree_store, "connect", return_value=self.store
        )
        with connect, server.opened(self.conf, self.clock):
            self.assertEqual(self.store.pictured, self.open().picture())
        self.assertEqual([("close",)], self.store.calls)

    def test_a_zookeeper_that_is_away_is_tried_again(self):
        answers = [samples.UNAVAILABLE, self.store]
        patient = _Impatient()
        with unittest.mock.patch.object(
            tree_store, "connect", side_effect=answers
        ):
            engine = server.Server(self.conf, patient)
            self.addCleanup(engine.stop)
            engine.run()
        self.assertEqual(self.store.pictured, self.open().picture())
        self.assertEqual([10.0], patient.waited)

    def test_a_broker_that_never_comes_does_not_keep_it_from_ending(self):
        gone = threading.Event()
        self.addCleanup(gone.set)
        with unittest.mock.patch.object(
            tree_store, "connect", return_value=self.store
        ):
            with unittest.mock.patch.object(server, "_CLOSING", 0.1):
                with unittest.mock.patch.object(
                    oslo_messaging.rpc.server.RPCServer,
                    "_create_listener",
                    lambda _self: self._nothing(gone),
                ):
                    with server.opened(self.conf, self.clock):
                        pass

    def _nothing(self, gone):
        gone.wait(20)
        raise oslo_messaging.MessagingTimeout

    def test_a_password_that_cannot_be_read(self):
        for path, problem in (
            (None, "is not set"),
            (str(self.directory / "missing"), "No such file"),
        ):
            conf = self.configured(zookeeper_password_file=path)
            error = self.assertRaises(
                exception.ConfigError, server.Server, conf, self.clock
            )
            self.assertIn("[rpc] zookeeper_password_file", str(error))
            self.assertIn(problem, str(error))


class _Impatient(clock.SystemClock):
    def __init__(self):
        self.waited = []

    def wait(self, event, timeout):
        self.waited.append(timeout)
        return event.is_set()
