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

"""What nova-scheduler loads: filters and weighers.

Nova imports its filters by dotted name and knows no entry points. These two
functions bridge the gap; in *nova.conf*::

    [filter_scheduler]
    available_filters = nova.scheduler.filters.all_filters
    available_filters = nova_ha.scheduler.all_filters
    enabled_filters = ComputeFilter, ..., HostLivenessFilter

This package runs in Nova's process and environment, and is the only one that
imports ``nova``.
"""

from nova_ha.scheduler.loading import all_filters
from nova_ha.scheduler.loading import all_weighers

__all__ = ("all_filters", "all_weighers")
