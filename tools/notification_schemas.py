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

"""Write the schemas of the notifications, or check that they are up to date.

python tools/notification_schemas.py            writes them
python tools/notification_schemas.py --check    fails if one is stale
"""

import json
import pathlib
import sys
from collections.abc import Mapping

from nova_ha.core import catalogue
from nova_ha.notify import schema

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "doc/notification_schemas"


def wanted() -> Mapping[pathlib.Path, str]:
    """What each file is to hold."""
    return {
        FOLDER / f"{code}.json": json.dumps(schema.of(kind), indent=2) + "\n"
        for code, kind in catalogue.KINDS.items()
    }


def stale() -> list[pathlib.Path]:
    """Files that are missing, differ, or belong to no notification."""
    files = wanted()
    there = set(FOLDER.glob("*"))
    differ = {
        path
        for path, text in files.items()
        if path not in there or path.read_text(encoding="utf-8") != text
    }
    return sorted(differ | (there - files.keys()))


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = wanted()
    for path in set(FOLDER.glob("*")) - files.keys():
        path.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


def main() -> int:
    if sys.argv[1:] != ["--check"]:
        write()
        return 0
    found = stale()
    for path in found:
        print(f"{path.relative_to(ROOT)} is stale")
    if found:
        print("Run: python tools/notification_schemas.py")
        return 1
    print(f"{len(wanted())} schemas of notifications are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
