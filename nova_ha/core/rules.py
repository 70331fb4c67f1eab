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


"""What an operator has said about instances: which, how, and in which order.

The fields have the names of the options in ``[evacuation]``, which explain
them.
"""

from nova_ha.core.nouns import record

RESETTABLE = ("paused", "suspended", "rescued")
"""vm_states that Nova refuses to evacuate for no reason of their disks."""

HIGHEST = 1000
"""Priorities go from 0 to this; the highest goes first."""


@record
class Rules:
    """The frozen ``[evacuation]`` section."""

    only_marked: bool = False
    mark_metadata: str = "HA_Enabled"
    mark_flavor: str = "nova_ha:enabled"
    mark_image: str = ""
    excluded_metadata: tuple[str, ...] = ()
    excluded_flavors: tuple[str, ...] = ()
    excluded_images: tuple[str, ...] = ()
    excluded_projects: tuple[str, ...] = ()
    evacuate_error: bool = True
    reset_states: tuple[str, ...] = ("paused", "rescued")
    shared_disks: bool = False
    recreate_disks: bool = False
    priority_metadata: str = "HA_Priority"
    default_priority: int = 500
    priority_groups: tuple[int, ...] = ()

    @property
    def ask_images(self) -> bool:
        """Whether properties of images decide anything. To read them takes a
        request for each image."""
        return bool(self.mark_image or self.excluded_images)
