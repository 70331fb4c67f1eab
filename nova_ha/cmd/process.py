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

"""What all daemons do alike: configuration, log, signals, exit status."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence

from oslo_config import cfg
from oslo_log import log as logging

from nova_ha import exception
from nova_ha import version

LOG = logging.getLogger(__name__)

PROJECT = "nova-ha"
"""Configuration is looked for in /etc/nova-ha/nova-ha.conf."""


def configure(
    conf: cfg.ConfigOpts,
    program: str,
    arguments: Sequence[str],
    *,
    description: str,
    epilog: str = "",
) -> None:
    """Read the command line and the configuration files; set up the log.

    The caller has registered its options on ``conf``.
    """
    logging.register_options(conf)
    conf(
        list(arguments),
        project=PROJECT,
        prog=program,
        version=version.version_string(),
        description=description,
        epilog=epilog,
    )
    logging.setup(conf, PROJECT, version.version_string())


def guarded(main: Callable[[], int]) -> int:
    """Run ``main``; a bad setting or a refusal is a message and status 1,
    not a traceback."""
    try:
        return main()
    except (exception.NovaHaError, cfg.Error) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1


def run_until_signalled(
    run: Callable[[], None],
    stop: Callable[[], None],
    reload: Callable[[], None] | None = None,
) -> None:
    """Run ``run`` until it ends; SIGTERM and SIGINT call ``stop``.

    :param reload: called at SIGHUP; without it SIGHUP does what it does to
        any program.

    ``run`` gets a thread of its own. A signal handler that set an event
    could find its lock held by the very thread that it interrupts; here the
    main thread only waits for a byte that either side sends.

    :raises: what ``run`` raises.
    """
    errors: list[BaseException] = []
    wakes, sends = socket.socketpair()
    sends.setblocking(False)

    def body() -> None:
        try:
            run()
        except BaseException as error:  # raised again in the main thread
            errors.append(error)
        finally:
            sends.send(b"\0")

    with wakes, sends:
        before = signal.set_wakeup_fd(sends.fileno())
        handlers = {
            number: signal.signal(number, lambda _number, _frame: None)
            for number in _handled(reload is not None)
        }
        try:
            thread = threading.Thread(target=body, name="main-loop")
            thread.start()
            received = wakes.recv(1)[0]
            while received == signal.SIGHUP and reload is not None:
                reload()
                received = wakes.recv(1)[0]
            if received:
                LOG.info("Stopping: %s", signal.Signals(received).name)
                stop()
            thread.join()
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
    if errors:
        raise errors[0]


def _handled(reloads: bool) -> Sequence[signal.Signals]:
    ends = [signal.SIGTERM, signal.SIGINT]
    return [*ends, signal.SIGHUP] if reloads else ends


def reload(conf: cfg.ConfigOpts) -> None:
    """Read the files of a configuration again.

    What can change at once does, such as ``debug``; oslo.config warns of each
    other option that has changed, which takes a restart. What cannot be used
    is told of, and the process goes on as it was.
    """
    try:
        changed = conf.mutate_config_files()
    except cfg.Error as error:
        LOG.error("The configuration is kept, not read again: %s", error)
        return
    LOG.info(
        "The configuration has been read again; in force at once: %s",
        ", ".join(sorted(name for _, name in changed)) or "nothing",
    )
