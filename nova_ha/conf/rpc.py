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

"""Options of the operators' commands that go over the message bus, of engines
and of the command line alike. The bus is oslo.messaging's ``transport_url``,
who may what is oslo.policy's ``policy_file``."""

from oslo_config import cfg

GROUP = cfg.OptGroup("rpc", title="Commands over the message bus")

KEYSTONE = "keystone"
NOAUTH = "noauth"

OPTS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "enabled",
        default=False,
        help="Engines serve the operators' commands on the message bus, and "
        "the command nova-ha asks them rather than ZooKeeper, unless it is "
        "given --direct. The same in the files of both.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=10.0,
        min=1.0,
        help="Seconds that a command waits for an engine's answer before it "
        "gives up.",
    ),
    cfg.StrOpt(
        "auth_strategy",
        default=KEYSTONE,
        choices=[
            (
                KEYSTONE,
                "commands bring a token of the OS_* variables of their "
                "environment; the engine has Keystone validate it with the "
                "credentials of [nova], and policy_file rules by its roles",
            ),
            (
                NOAUTH,
                "whoever has credentials of the message bus may do "
                "everything, under any name",
            ),
        ],
        help="How an engine knows who asks.",
    ),
    cfg.StrOpt(
        "zookeeper_password_file",
        help="File that holds the password of ZooKeeper's role operator and "
        "nothing else: as such an engine writes down what operators ask for "
        "on the bus. It must not be readable for everybody. The command "
        "needs none.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
