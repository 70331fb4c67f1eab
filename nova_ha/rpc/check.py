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

"""Would commands over the message bus work? Changes and sends nothing."""

from collections.abc import Iterator

import oslo_messaging
from oslo_config import cfg

from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.assembly.config_files import Finding
from nova_ha.assembly.config_files import bad
from nova_ha.assembly.config_files import doubtful
from nova_ha.assembly.config_files import good
from nova_ha.conf import rpc as options
from nova_ha.rpc import bus
from nova_ha.rpc import callers
from nova_ha.rpc import policies

_CHECK = "commands"


def findings(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """What an engine would refuse to start with, or ought not to."""
    if not conf.rpc.enabled:
        yield good(_CHECK, "they go to ZooKeeper themselves")
        return
    try:
        bus.transport(conf)
        operator.engines_settings(conf)
        policies.Rights(conf)
        callers.from_conf(conf, 1)
    except (exception.NovaHaError, cfg.Error, OSError) as error:
        yield bad(_CHECK, str(error))
        return
    if not oslo_messaging.TransportURL.parse(conf, conf.transport_url).hosts:
        yield doubtful(
            _CHECK,
            "[DEFAULT] transport_url names no broker, so that one on this "
            "machine is looked for",
        )
    if conf.rpc.auth_strategy == options.NOAUTH:
        yield doubtful(
            _CHECK,
            "[rpc] auth_strategy = noauth: whoever has credentials of the "
            "message bus may do everything",
        )
    else:
        yield good(_CHECK, "engines serve them to whom Keystone knows")
