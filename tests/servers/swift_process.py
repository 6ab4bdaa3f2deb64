"""OpenStack Swift with its S3 interface in one process: ``python -m tests.servers.swift_process DIRECTORY``.

All four of its servers run in one event loop, on sockets that are bound before the rings name their ports. The first
line that it prints is the port that talks S3; it ends when its standard input does.
"""

import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ACCESS_KEY: Final = "ct:app"
SECRET_KEY: Final = "apppassword"
REGION: Final = "test-region"

_STORAGE: Final = ("account", "container", "object")

_STORAGE_CONFIG: Final = """
[DEFAULT]
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
workers = 0
fallocate_reserve = 0
bind_port = {port}

[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""

_PROXY_CONFIG: Final = """
[DEFAULT]
swift_dir = {directory}
workers = 0
bind_port = {port}

[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats s3api tempauth bulk copy slo dlo versioned_writes \
symlink keymaster encryption proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false

[filter:tempauth]
use = egg:swift#tempauth
user_ct_app = {secret} .admin

[filter:keymaster]
use = egg:swift#keymaster
encryption_root_secret = {key}
"""

_PLAIN_FILTERS: Final = (
    "catch_errors gatekeeper healthcheck listing_formats bulk copy slo dlo versioned_writes symlink encryption"
)


def main(directory: Path) -> None:
    """Serve until standard input ends."""
    utils: Any = import_module("swift.common.utils")
    config = directory / "swift.conf"
    config.write_text("[swift-hash]\nswift_hash_path_suffix = suffix\nswift_hash_path_prefix = prefix\n")
    utils.SWIFT_CONF_FILE = str(config)
    utils.monkey_patch()
    utils.validate_hash_conf()
    utils.FALLOCATE_RESERVE, utils.FALLOCATE_IS_PERCENT = 0, False
    eventlet = import_module("eventlet")
    sockets = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in (*_STORAGE, "proxy")}
    for kind in _STORAGE:
        _write_ring(directory, kind, _port(sockets[kind]))
    for kind, socket in sockets.items():
        _start(directory, kind, socket)
    print(_port(sockets["proxy"]), flush=True)
    eventlet.hubs.trampoline(sys.stdin.fileno(), read=True)
    shutil.rmtree(directory, ignore_errors=True)  # whoever started this may have been killed


def _start(directory: Path, kind: str, socket: Any) -> None:
    path = directory / f"{kind}.conf"
    if kind == "proxy":
        filters = "".join(f"\n[filter:{name}]\nuse = egg:swift#{name}\n" for name in _PLAIN_FILTERS.split())
        key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        text = _PROXY_CONFIG.format(directory=directory, port=_port(socket), region=REGION, secret=SECRET_KEY, key=key)
        path.write_text(text + filters)
    else:
        path.write_text(_STORAGE_CONFIG.format(directory=directory, port=_port(socket), kind=kind))
    wsgi = import_module("swift.common.wsgi")
    app = wsgi.loadapp(str(path), global_conf={"log_name": f"{kind}-server"})
    import_module("eventlet").spawn(
        import_module("eventlet.wsgi").server,
        socket,
        app,
        wsgi.NullLogger(),
        protocol=wsgi.SwiftHttpProtocol,
        capitalize_response_headers=False,  # S3 clients look for "ETag"
    )


def _write_ring(directory: Path, kind: str, port: int) -> None:
    """One copy of everything, on one device."""
    (directory / "devices" / "d1").mkdir(parents=True, exist_ok=True)
    builder = import_module("swift.common.ring").RingBuilder(2, 1, 0)
    device = {"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "meta": ""}
    builder.add_dev({**device, "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(str(directory / f"{kind}.ring.gz"))


def _port(socket: Any) -> int:
    port: int = socket.getsockname()[1]
    return port


if __name__ == "__main__":
    main(Path(sys.argv[1]))
