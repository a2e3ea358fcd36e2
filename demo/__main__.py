"""``python -m demo``: start everything, load the demo study, stop everything at Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path


def main() -> int:
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings.dev")
    import django

    django.setup()
    from django.conf import settings

    from demo import processes

    var = Path(settings.VAR)
    try:
        note = processes.claim(var)
    except processes.AlreadyRunning as error:
        return _refuse(str(error))
    with note:
        if not processes.port_gets_free(options.port):
            return _refuse(f"Port {options.port} is in use. Choose another: make demo PORT=8001")
        return _run(options, var)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", type=Path, help="folder of real cases to show instead")
    parser.add_argument("--quick", action="store_true", help="coarse images, seconds of training")
    options = parser.parse_args()
    if options.data is not None and not options.data.is_dir():
        parser.error(f"{options.data} is not a folder")
    return options


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _run(options: argparse.Namespace, var: Path) -> int:
    from django.core.management import call_command

    from demo import accounts, content, processes

    call_command("migrate", verbosity=0)
    logins = accounts.ensure(var)
    running = processes.services(var, options.port)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    for service in running:
        service.start()
    try:
        if not processes.wait_for_port(options.port, stop) and not stop.is_set():
            _say(f"The web server does not answer. Its log says why: {var / 'log' / 'web.log'}")
        _greet(options.port, logins, var)
        loader = threading.Thread(target=_load, args=(content, options, logins, stop), daemon=True)
        loader.start()
        _watch(running, stop)
    finally:
        print("\nStopping.", flush=True)
        for service in running:
            service.ask_to_stop()
        for service in running:
            service.stop()
    return 0


def _greet(port: int, logins: list, var: Path) -> None:
    print(f"\nreaderstudy runs at http://127.0.0.1:{port}/  (Ctrl-C stops it)", flush=True)
    for login in logins:
        print(f"  {login.role:<12} {login.username:<12} password {login.password}", flush=True)
    here = os.path.relpath(var)
    print(f"  data, logs and process ids: {var if here.startswith('..') else here}/\n", flush=True)


def _load(content, options: argparse.Namespace, logins: list, stop: threading.Event) -> None:
    from django.db import connection

    size = content.QUICK if options.quick else content.FULL
    names = [login.username for login in logins]
    try:
        study = content.load(size=size, data=options.data, accounts=names, say=_say)
        _say(f"Ready: “{study.name}” can be read at http://127.0.0.1:{options.port}/")
    except content.StepFailed as error:
        _say(f"{error}\nThe rest goes on working; start the demo again to retry this step.")
    except Exception as error:  # noqa: BLE001 the server must go on when the loading fails
        if not stop.is_set():
            _say(f"The demo study could not be loaded: {type(error).__name__}: {error}")
    finally:
        connection.close()


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


def _watch(running: list, stop: threading.Event) -> None:
    """Start again what dies, until asked to stop."""
    while not stop.wait(0.5):
        for service in running:
            if service.ended() and not stop.is_set():
                _say(f"{service.name} stopped; it is started again.")
                service.restart()


if __name__ == "__main__":
    sys.exit(main())
