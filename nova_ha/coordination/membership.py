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

"""What the engine knows of the hosts: :class:`ports.Membership`."""

from nova_ha import clock as clock_module
from nova_ha import ports
from nova_ha.coordination import contenders
from nova_ha.coordination import operator_words
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import reading
from nova_ha.coordination import watching
from nova_ha.coordination import znodes
from nova_ha.core import events
from nova_ha.core import model


class ZooKeeperMembership(ports.Membership):
    """:class:`ports.Membership` on one session, which it does not own.

    :param interval: seconds between two complete reads.
    """

    def __init__(
        self,
        tree: znodes.Znodes,
        paths: paths_module.Paths,
        clock: clock_module.Clock,
        *,
        interval: float = watching.INTERVAL,
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._reader = reading.HostReader(tree, paths)
        self._decoder = reading.Decoder()
        self._watcher = watching.HostWatcher(
            tree,
            paths,
            clock,
            extras={
                paths.control: self._control,
                paths.confirmations: self._confirmations,
                paths.requests: self._requests,
                paths.leader: self._contenders,
            },
            interval=interval,
        )

    def start(self, sink: ports.Sink) -> None:
        self._watcher.start(sink)

    def stop(self) -> None:
        self._watcher.stop()

    def read_host(self, host: model.HostName) -> model.HostFacts:
        self._tree.sync(self._paths.agent(host))
        return self._reader.read([host])[host]

    def read_control(self) -> model.Control:
        self._tree.sync(self._paths.control)
        return operator_words.control(self._tree, self._paths, self._decoder)

    def _control(self, watch: znodes.Watch) -> events.Event:
        return events.ControlRead(
            control=operator_words.control(
                self._tree, self._paths, self._decoder, watch
            )
        )

    def _confirmations(self, watch: znodes.Watch) -> events.Event:
        return events.ConfirmationsRead(
            confirmations=operator_words.confirmations(
                self._tree, self._paths, self._decoder, watch
            )
        )

    def _requests(self, watch: znodes.Watch) -> events.Event:
        return events.RequestsRead(
            requests=operator_words.requests(
                self._tree, self._paths, self._decoder, watch
            )
        )

    def _contenders(self, watch: znodes.Watch) -> events.Event:
        return events.ContendersRead(
            contenders=contenders.read(
                self._tree, self._paths, self._decoder, watch
            )
        )
