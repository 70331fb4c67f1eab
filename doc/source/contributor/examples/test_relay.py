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

"""The contract, on the example driver and a relay board of our own."""

import socketserver
import threading

import relay

from nova_ha.fencing import base
from nova_ha.fencing import testing


class Board(socketserver.ThreadingTCPServer):
    """A board with one relay, and the faults that it can have."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.on = True
        self.refuses = False
        self.lies = False
        self.questions_until_off = 0
        self.answers = threading.Event()
        self.answers.set()
        self.waiting: int | None = None

    def state(self) -> str:
        if self.waiting is not None:
            self.waiting -= 1
            if self.waiting < 0:
                self.on, self.waiting = False, None
        return "on" if self.on else "off"

    def order(self, order: str) -> str:
        if order == "STATE":
            return self.state()
        if self.refuses:
            return "refused"
        if order == "ON":
            self.on, self.waiting = True, None
        elif not self.lies:
            self.waiting = self.questions_until_off
        return "ok"


class Talk(socketserver.StreamRequestHandler):
    server: Board

    def handle(self) -> None:
        self.server.answers.wait()
        password = self.rfile.readline().decode().split()[-1]
        order = self.rfile.readline().decode().split()[0]
        denied = password != testing.PASSWORD
        answer = "denied" if denied else self.server.order(order)
        self.wfile.write(f"{answer}\n".encode())


class RelayBench(testing.Bench):
    driver = "relay"
    uuid = ""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.board = Board()
        self.thread: threading.Thread | None = None

    def find_driver(self, name: str) -> type[base.FenceDriver]:
        return relay.RelayDriver

    def parameters(self) -> dict[str, object]:
        return {
            "address": "127.0.0.1",
            "port": self.board.server_address[1],
            "password": testing.PASSWORD,
            "relay": 1,
        }

    def start(self) -> None:
        self.thread = threading.Thread(
            target=self.board.serve_forever, kwargs={"poll_interval": 0.05}
        )
        self.thread.start()

    def start_refusing(self) -> None:
        self.board.refuses = True
        self.start()

    def start_lying(self) -> None:
        self.board.lies = True
        self.start()

    def start_slow(self) -> float:
        self.board.questions_until_off = 2
        self.start()
        return 1.0

    def hang(self) -> None:
        self.board.answers.clear()

    def stop(self) -> None:
        self.board.answers.set()
        if self.thread:
            self.board.shutdown()
            self.thread.join()
            self.thread = None
        self.board.server_close()

    def really_on(self) -> bool:
        return self.board.on


class RelayContractTest(testing.DriverContract):
    bench_class = RelayBench
