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

"""A certificate authority for tests, of the ``openssl`` command."""

import pathlib
import subprocess

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Signs certificates; everything is in one directory."""

    def __init__(self, directory: pathlib.Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self.certificate = directory / f"{name}.crt"
        self._openssl(
            *("req", "-x509", *_KEY, "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.crt"),
        )

    def sign(self, name: str, alternative: str) -> tuple[str, str]:
        """Return the files of a new certificate and of its key.

        :param alternative: such as ``DNS:localhost``.
        """
        self._openssl(
            *("req", *_KEY, "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName={alternative}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        self._openssl(
            *("x509", "-req", "-days", "2", "-copy_extensions", "copy"),
            *("-CA", f"{self._name}.crt", "-CAkey", f"{self._name}.key"),
            *("-in", f"{name}.csr", "-out", f"{name}.crt"),
        )
        paths = [self._directory / f"{name}.{kind}" for kind in ("crt", "key")]
        return str(paths[0]), str(paths[1])

    def _openssl(self, *words: str) -> None:
        subprocess.run(
            ["openssl", *words],
            cwd=self._directory,
            check=True,
            capture_output=True,
        )
