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

"""Nova and Placement, as the engine needs them.

=================  =======================================================
``session``        options -> one keystoneauth session and its adapters
``rest``           one request: deadline, retry of reads, errors translated
``parse``          JSON of the APIs -> :mod:`nova_ha.core.model`
``services``       nova-compute services, and when they really reported
``hypervisors``    which resource providers belong to which service host
``placement``      what instances ask for, and where there is room
``instances``      the complete list of a host's instances, or an error
``migrations``     migration records, cheap enough to poll
``nova``           :class:`~nova_ha.compute.nova.NovaCompute`, the port
=================  =======================================================

Nova is spoken to at microversion 2.94: the last one in which an evacuated
instance ends as it was before (from 2.95 on it ends stopped), and one in
which services of a cell that is down are shown as such (2.69). Hypervisors
are read at 2.87: from 2.88 on, Nova calls every nova-compute that counts as
up to ask for its uptime, and blocks on one that has just died.
"""
