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

"""From options to Nova and to an engine's policy, for commands that ask Nova
themselves."""

from oslo_config import cfg

from nova_ha import clock as clock_mod
from nova_ha.assembly import engine
from nova_ha.compute import nova
from nova_ha.conf import evacuation as evacuation_conf
from nova_ha.conf import evidence as evidence_conf
from nova_ha.conf import nova as nova_conf
from nova_ha.core import policy as policy_mod


def policy(conf: cfg.ConfigOpts) -> policy_mod.Policy:
    """All settings that an engine with this configuration decides by.

    :raises ConfigError: two of them contradict each other.
    """
    for module in (evacuation_conf, evidence_conf, nova_conf):
        module.register_opts(conf)
    return engine.policy(conf)


def open_compute(
    conf: cfg.ConfigOpts,
    clock: clock_mod.Clock,
    *,
    connections: int = 1,
    ask_images: bool = False,
) -> nova.NovaCompute:
    """Nova and Placement, as ``[nova]`` says; sends nothing yet.

    :param connections: how many threads use it at the same time.
    :param ask_images: read the properties of instances' images too.
    :raises ConfigError: the credentials are incomplete.
    """
    nova_conf.register_opts(conf)
    return nova.NovaCompute.from_conf(
        conf, clock, connections, ask_images=ask_images
    )
