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

"""A session's behaviour in trouble, on a real server."""

import logging
import os
import threading
import time
from typing import Any

import fixtures

from nova_ha import exception
from nova_ha.coordination import acl
from nova_ha.coordination import kazoo_znodes
from nova_ha.coordination import opening
from nova_ha.coordination import znodes
from nova_ha.coordination.znodes import ConnectionState
from tests.contract.coordination import proxy as proxy_module
from tests.contract.coordination import zookeeper


class SessionTest(zookeeper.ZooKeeperTest):
    def unstarted(
        self, hosts: str = "", **changes: Any
    ) -> kazoo_znodes.KazooZnodes:
        session = opening.new_session(
            self.settings(acl.Role.OPERATOR, hosts=hosts, **changes),
            self.clock,
        )
        self.addCleanup(session.close)
        return session

    def test_negotiated_timeouts(self) -> None:
        # The server grants 0.2 s to 60 s.
        for asked, granted in ((0.01, 0.2), (5.0, 5.0), (600.0, 60.0)):
            session = self.open(acl.Role.OPERATOR, timeout=asked)
            self.assertEqual(granted, session.session_timeout)

    def test_the_granted_timeout_is_known_to_listeners(self) -> None:
        session = self.unstarted(timeout=600.0)
        seen: list[float] = []
        session.listen(lambda state: seen.append(session.session_timeout))
        session.start()
        self.eventually(lambda: seen == [60.0])

    def test_nobody_there(self) -> None:
        wire = proxy_module.Proxy(self.server.port)
        self.addCleanup(wire.close)
        wire.cut()
        session = self.unstarted(hosts=wire.hosts)
        error = self.assertRaises(
            exception.CoordinationUnavailable, session.start, 0.3
        )
        self.assertIn("[zookeeper] hosts", str(error))
        # It goes on trying.
        wire.restore()
        self.eventually(lambda: session.state is ConnectionState.CONNECTED)
        session.sync(self.paths.root)

    def test_a_start_that_does_not_wait(self) -> None:
        session = self.unstarted()
        session.start(wait=0)
        self.eventually(lambda: session.state is ConnectionState.CONNECTED)

    def test_a_dead_server_is_not_waited_for(self) -> None:
        """One of two servers swallows everything; the session survives."""
        silent = proxy_module.Proxy(self.server.port)
        self.addCleanup(silent.close)
        silent.block()
        wire = proxy_module.Proxy(self.server.port)
        self.addCleanup(wire.close)
        for _ in range(4):  # the order is random
            session = self.unstarted(hosts=f"{silent.hosts},{wire.hosts}")
            session.start(wait=zookeeper.TIMEOUT)
            session.close()

    def test_a_write_that_nobody_waits_for_is_not_done_later(self) -> None:
        session = self.open(acl.Role.OPERATOR)
        path = self.paths.host("c1")
        self.cut_off(session)
        self.assertRaises(
            exception.CoordinationUnavailable, session.create, path
        )
        self.reconnect(session)
        session.sync(path)
        self.assertIsNone(session.get(path))

    def test_a_silent_server(self) -> None:
        """Every call ends by its deadline, half of the time-out."""
        session = self.open(acl.Role.OPERATOR)
        self.wire(session).block()
        began = time.monotonic()
        self.assertRaises(
            exception.CoordinationUnavailable, session.sync, self.paths.root
        )
        self.assertLess(time.monotonic() - began, zookeeper.TIMEOUT)

    def test_close_is_quick(self) -> None:
        sessions = [self.open(acl.Role.OPERATOR) for _ in range(3)]
        self.cut_off(sessions[1])
        self.wire(sessions[2]).block()
        for session in sessions:
            began = time.monotonic()
            session.close()
            self.assertLess(
                time.monotonic() - began, kazoo_znodes.CLOSE_TIMEOUT + 1
            )
        # And silent: no thread brings it back.
        self.assertIs(ConnectionState.LOST, sessions[0].state)

    def test_a_connection_thread_that_dies_is_replaced(self) -> None:
        session = self.open(acl.Role.OPERATOR)
        old = session.session

        def broken(*args: object) -> None:
            raise RuntimeError("xids do not match")

        connection = session._client._connection
        connection._read_socket = broken
        connection._send_ping = broken
        self.eventually(lambda: session.state is ConnectionState.LOST)
        del connection._read_socket, connection._send_ping
        self.eventually(lambda: session.session not in (0, old))
        session.sync(self.paths.root)

    def test_it_is_not_shared_with_a_child(self) -> None:
        session = self.open(acl.Role.OPERATOR)
        child = os.fork()
        if not child:
            try:
                session.sync(self.paths.root)
            except exception.CoordinationUnavailable:
                os._exit(1)
            except exception.CoordinationError:
                os._exit(42)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        self.assertEqual(42, os.waitstatus_to_exitcode(status))
        session.sync(self.paths.root)

    def test_credentials_are_in_no_log(self) -> None:
        logs = self.useFixture(
            fixtures.FakeLogger(level=logging.NOTSET, format="%(message)s")
        )
        logging.getLogger("kazoo").setLevel(5)
        session = self.open(acl.Role.ENGINE)
        session.create(f"{self.paths.leader}/c-", ephemeral=True)
        self.cut_off(session)
        self.reconnect(session)
        self.assertIn("ZooKeeper session", logs.output)
        password = zookeeper.PASSWORDS[acl.Role.ENGINE]
        digest = acl.identity("engine", password).partition(":")[2]
        for secret in (password, digest):
            self.assertNotIn(secret, logs.output)
        shown = repr(session) + repr(self.settings(acl.Role.ENGINE))
        shown += repr(self.operator.acl(self.paths.root))
        for secret in (password, digest):
            self.assertNotIn(secret, shown)

    def test_an_outage_is_not_told_every_second(self) -> None:
        session = self.open(acl.Role.OPERATOR)
        logs = self.useFixture(
            fixtures.FakeLogger(level=logging.NOTSET, format="%(message)s")
        )
        self.cut_off(session)
        time.sleep(2.0)
        self.assertLess(len(logs.output.splitlines()), 10, logs.output)

    def test_a_check_goes_through_a_quorum(self) -> None:
        """The zxid grows: it was proposed and logged like any change."""
        before = self.zxid()
        self.operator.commit([znodes.Check(self.paths.root)])
        self.assertEqual(before + 1, self.zxid())

    def zxid(self) -> int:
        for line in self.server.command("srvr").splitlines():
            if line.startswith("Zxid:"):
                return int(line.split()[1], 16)
        raise AssertionError("no answer")

    def test_the_tick_leaves_a_trace(self) -> None:
        least = opening.least_session_timeout(
            self.settings(acl.Role.OPERATOR), self.clock
        )
        self.assertEqual(2 * self.server.tick, least)
        self.assertEqual("", opening.doubt_about_tick(least, 0.1))
        doubt = opening.doubt_about_tick(least, 0.5)
        self.assertIn("tickTime of 100", doubt)

    def test_many_threads(self) -> None:
        paths = [self.paths.host(f"c{number}") for number in range(40)]
        threads = [
            threading.Thread(target=self.operator.create, args=(path,))
            for path in paths
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(40, len(self.operator.children(self.paths.hosts)))
        found = self.operator.get_many(paths)
        self.assertNotIn(None, found.values())
