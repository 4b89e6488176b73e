"""Connecting to Ray, or starting it on this machine. Nothing is reported to anybody and no dashboard is opened."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

from qa_pipeline.errors import ConfigError, reason_of

LOCAL = "local"
_SWITCHES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a task without a graphics card must not see its environment changed
    "RAY_task_oom_retries": "2",  # else a recording that exhausts the memory would be tried for ever
}
_STORE_BYTES = 128 << 20  # transcripts on their way: about 0.1 MB each, and few are under way
_PATIENCE_S = 5.0


def connect(address: str, processes: int, ending: ExitStack) -> Any:
    """The module ``ray``, connected; ``ending`` ends the connection, and a local Ray with it. Raises ConfigError.

    ``processes`` is for ``local``: how many work at the same time.
    """
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "--cluster 需要 Ray，现在没有安装：pip install 'qa-pipeline[ray]'（集群里每台机器装同一版本）。"
        ) from None
    ending.enter_context(redirect_stdout(sys.stderr))  # where Ray tells of lost processes; stdout is for data
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        own = {"num_cpus": processes, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
        options |= own | {"_temp_dir": _folder(ending)}
    else:
        _reach(address)
    try:
        ray.init(address=address, **options)
    except (Exception, SystemExit) as error:  # Ray ends the process when the address is not one of Ray's
        told = "本机的 Ray 没有启动成功，请检查内存和 /tmp 的空间" if address == LOCAL else _unreachable(address)
        raise ConfigError(f"{told}（{type(error).__name__}：{error}）") from error
    ending.callback(ray.shutdown)
    return ray


def _folder(ending: ExitStack) -> str:
    """Where the local Ray lives. Not the user's TMPDIR: the names of its sockets must stay below 104 characters."""
    import tempfile

    short = Path("/tmp")
    return ending.enter_context(
        tempfile.TemporaryDirectory(prefix="qa-ray-", dir=short if short.is_dir() else None, ignore_cleanup_errors=True)
    )


def _reach(address: str) -> None:
    """Ray itself waits for more than five minutes for an address where nobody listens (2.60, measured 2026-11-22)."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not host or not port.isdigit():
        raise ConfigError(f"--cluster 的地址“{address}”不对。请写 local、auto，或 Ray 头节点的 主机:端口，例如 10.0.0.5:6379。")
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE_S).close()
    except OSError as error:
        raise ConfigError(f"{_unreachable(address)}（{reason_of(error)}）") from error
    except OverflowError as error:
        raise ConfigError(f"{_unreachable(address)}（端口要在 0 到 65535 之间）") from error


def _unreachable(address: str) -> str:
    return (
        f"连不上 Ray 集群 {address}。请确认头节点已启动（ray start --head --port=6379），本机已加入集群"
        "（ray start --address=头节点:6379），两边的 Ray 和 Python 版本相同，防火墙放行；只用本机请写 --cluster local。"
    )
