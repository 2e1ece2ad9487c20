"""What a server answers on its port for metrics: ``/metrics``, ``/livez`` and ``/readyz``."""

from __future__ import annotations

import platform
import threading
from typing import TYPE_CHECKING, Final

import gspread

from queued_gspread._clock import now
from queued_gspread._install import how_to_install
from queued_gspread._version import __version__
from queued_gspread.errors import QueuedGspreadError
from queued_gspread.monitor import look
from queued_gspread.server.log import LOGGER

from .pages import Page, PageServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import Metric

    from queued_gspread.monitor import Snapshot
    from queued_gspread.server import Server
    from queued_gspread.settings import Settings

__all__ = ["Exporter"]

# Prometheus gives up after ten seconds, by default.
_LONGEST_LOOK: Final = 3.0
_FRESH: Final = 1.0
_MISSING: Final = f"metrics need the package prometheus-client: {how_to_install('metrics')}"
_VERSIONS: Final = {
    "version": __version__,
    "gspread": gspread.__version__,
    "python": platform.python_version(),
}


class Exporter:
    """Answers for a server, whatever that and Redis do.

    Args:
        server: The server.
        settings: Where its queue is.
        host: Where to listen.
        port: The port; 0 for a free one.

    Raises:
        QueuedGspreadError: It cannot listen there.

    """

    def __init__(self, server: Server, settings: Settings, host: str, port: int) -> None:
        self._server, self._settings = server, settings
        self._snapshots = _Snapshots(settings)
        pages = {"/metrics": self._metrics, "/livez": self._alive, "/readyz": self._ready}
        try:
            self._pages = PageServer(host, port, pages)
        except (OSError, UnicodeError) as error:
            raise QueuedGspreadError(
                f"no metrics can be served at port {port} of {host!r} ({error}): name another "
                "--metrics-port, or an address of this machine as --metrics-host"
            ) from error
        self.url = self._pages.url

    def start(self) -> None:
        """Answer from now on."""
        self._pages.start()
        LOGGER.info("metrics, /livez and /readyz are at %s", self.url)
        if not _is_there():
            LOGGER.warning(_MISSING)

    def stop(self) -> None:
        """Answer no more. It need not be called: no thread of this keeps a program alive."""
        self._pages.stop()

    def _metrics(self, accept: str) -> Page:
        if not _is_there():
            return Page(501, f"{_MISSING}\n".encode())
        return _page_of(self._settings.namespace, self._snapshots.latest(), accept)

    def _alive(self, _: str) -> Page:
        pulse = self._server.pulse
        text = f"it {pulse.state}; its latest beat began {pulse.beat:.1f} s ago"
        return _told(text, is_well=pulse.is_alive)

    def _ready(self, _: str) -> Page:
        pulse = self._server.pulse
        return _told(f"it {pulse.state}", is_well=pulse.is_ready)


class _Snapshots:
    """The latest snapshot: scrapes that come together share one."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = now) -> None:
        self._settings = settings
        self._clock = clock
        self._turn = threading.Lock()
        self._found: Snapshot | None = None
        self._fresh_until = 0.0

    def latest(self) -> Snapshot | None:
        """Return a snapshot of now; None if Redis does not answer in time."""
        if not self._turn.acquire(timeout=_LONGEST_LOOK):
            return None
        try:
            if self._clock() >= self._fresh_until:
                self._found = self._look()
                self._fresh_until = self._clock() + _FRESH
            return self._found
        finally:
            self._turn.release()

    def _look(self) -> Snapshot | None:
        try:
            return look(self._settings, _LONGEST_LOOK)
        except Exception as error:  # noqa: BLE001 - whatever stands in Redis, there is an answer
            LOGGER.debug("no metrics but those of this server: %s", error)
            return None


def _told(text: str, *, is_well: bool) -> Page:
    return Page(200 if is_well else 503, f"{'ok' if is_well else 'not ok'}: {text}\n".encode())


def _is_there() -> bool:
    """Return whether the package is there that the metrics need."""
    try:
        import prometheus_client  # noqa: F401, PLC0415 - only for those who want metrics
    except ImportError:
        return False
    return True


def _page_of(namespace: str, snapshot: Snapshot | None, accept: str) -> Page:
    """Return the metrics in the format that a client accepts."""
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - the same

    from .families import families_of, own_families  # noqa: PLC0415 - the same

    families = own_families(namespace, _VERSIONS, is_up=snapshot is not None)
    if snapshot is not None:
        families += families_of(snapshot)
    encode, content_type = choose_encoder(accept)
    return Page(200, encode(_Collected(families)), content_type)


class _Collected:
    """Metrics in the form that prometheus-client wants."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
