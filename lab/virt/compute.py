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
"""nova-compute with the lab's driver; arguments as for nova-compute.

Nova imports drivers as ``nova.virt.<name>`` only. Ours is put there in
memory, which leaves the installed Nova as it is.
"""

import sys

from nova.cmd import compute

from lab.virt import driver

#: For ``[DEFAULT] compute_driver``.
COMPUTE_DRIVER = "nova_ha_lab.Driver"


def main() -> None:
    """Be nova-compute."""
    sys.modules["nova.virt.nova_ha_lab"] = driver
    sys.argv[0] = "nova-compute"
    compute.main()


if __name__ == "__main__":
    main()
