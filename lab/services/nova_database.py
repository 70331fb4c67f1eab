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
"""Makes the tables of Nova's two databases, in one process.

nova-manage would need two runs, of two seconds each before it begins.
``python -m lab.services.nova_database FILE`` with nova.conf as FILE.
"""

import sys

from nova import config
from nova import context
from nova import objects
from nova.db import migration


def main() -> None:
    """Run Nova's migrations."""
    config.parse_args(["nova-manage", "--config-file", sys.argv[1]])
    objects.register_all()
    context.get_admin_context()
    migration.db_sync(None, database="api")
    migration.db_sync(None)


if __name__ == "__main__":
    main()
