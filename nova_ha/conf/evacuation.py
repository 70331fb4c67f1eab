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


"""Options in ``[evacuation]``: which instances, how, and in which order.

Each is a field of :class:`nova_ha.core.rules.Rules`, with the same default.
"""

from oslo_config import cfg
from oslo_config import types

GROUP = cfg.OptGroup("evacuation", title="Which instances are evacuated")

_HIGHEST = 1000


def _listed(name: str, what: str) -> cfg.ListOpt:
    return cfg.ListOpt(
        name,
        default=[],
        help=f"Instances with one of these {what} are never evacuated. An "
        "entry is a key, with any value, or key=value.",
    )


OPTS = [
    cfg.BoolOpt(
        "only_marked",
        default=False,
        help="Evacuate only instances that carry a mark: a true value under "
        "mark_metadata, mark_flavor or mark_image. A false value keeps an "
        "instance from being evacuated in any case. The first of the three "
        "that has the key decides.",
    ),
    cfg.StrOpt(
        "mark_metadata",
        default="HA_Enabled",
        help="Key of the mark in the metadata of an instance, which its "
        "owner can set. Empty: none.",
    ),
    cfg.StrOpt(
        "mark_flavor",
        default="nova_ha:enabled",
        help="Key of the mark in the extra specs of a flavor. Give it a "
        "scope, as here: one without is taken for a capability by Nova's "
        "ComputeCapabilitiesFilter. Empty: none.",
    ),
    cfg.StrOpt(
        "mark_image",
        default="",
        sample_default="nova_ha_enabled",
        help="Key of the mark in the properties of an image. Empty: none. "
        "With this or excluded_images, Glance has to answer before the "
        "instances of a dead host are evacuated; instances that boot from a "
        "volume count as having no image.",
    ),
    _listed("excluded_metadata", "keys in their metadata"),
    _listed(
        "excluded_flavors",
        "extra specs in their flavor, such as pci_passthrough:alias",
    ),
    _listed("excluded_images", "properties in their image"),
    cfg.ListOpt(
        "excluded_projects",
        default=[],
        help="Instances of projects with these ids are never evacuated, such "
        "as that of a load balancer which replaces its own instances.",
    ),
    cfg.BoolOpt(
        "evacuate_error",
        default=True,
        help="Evacuate instances in ERROR too. Nova starts them; one that "
        "was off, as far as Nova knows, is stopped again.",
    ),
    cfg.ListOpt(
        "reset_states",
        item_type=types.String(choices=["paused", "suspended", "rescued"]),
        default=["paused", "rescued"],
        help="States that Nova refuses to evacuate, and from which instances "
        "are set to active first: paused, suspended, rescued. Their disks "
        "are kept. What is in memory is lost, for suspended instances too, "
        "which would otherwise go on where they were once their host is "
        "back.",
    ),
    cfg.BoolOpt(
        "shared_disks",
        default=False,
        help="Every host reaches the disks of all instances: they are in a "
        "storage cluster (Ceph), or all hosts mount the same instances path. "
        "If only some of them do, mark their storage instead (nova-ha-agent "
        "mark-storage). Never say so if it is not true: Nova "
        "would create lost disks anew from their images, without a word.",
    ),
    cfg.BoolOpt(
        "recreate_disks",
        default=False,
        help="Evacuate instances whose root disk is lost with their host. "
        "They start from a new copy of their image: all that their users "
        "have written since they booted is gone.",
    ),
    cfg.StrOpt(
        "priority_metadata",
        default="HA_Priority",
        help="Key of an instance's priority in its metadata: a number from 0 "
        "to 1000, the highest goes first. Empty: all are equal.",
    ),
    cfg.IntOpt(
        "default_priority",
        default=500,
        min=0,
        max=_HIGHEST,
        help="Priority of instances that do not say one.",
    ),
    cfg.ListOpt(
        "priority_groups",
        item_type=types.Integer(min=1, max=_HIGHEST),
        default=[],
        sample_default="900,500",
        help="Lowest priorities of groups that go one after another: nothing "
        "of a group is sent before all of those above have arrived, or "
        "cannot for now. Empty: one group, in which a priority only says who "
        "is sent first.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
