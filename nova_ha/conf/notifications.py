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

"""Options of the notifications that nova_ha sends, and of Nova's that it
takes. How they are sent is oslo.messaging's own
``[oslo_messaging_notifications]``."""

from oslo_config import cfg

GROUP = cfg.OptGroup("notifications", title="Notifications")

OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        "topics",
        default=["nova_ha_notifications"],
        help="Topics of the message bus that each step of a recovery is "
        "sent to. Set [oslo_messaging_notifications] driver to messagingv2 "
        "to send anything at all.",
    ),
    cfg.ListOpt(
        "nova_topics",
        default=[],
        sample_default="versioned_notifications",
        help="Topics of the versioned notifications that Nova sends ([notif"
        "ications] versioned_notifications_topics in its own configuration). "
        "With them an engine looks sooner whether an evacuation has ended; it "
        "never relies on them. Empty: they are not listened to.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
