"""What this process counts, for Prometheus.

Owns the names of the metrics. Never takes a value from a message or a person as a label: whoever sends messages would
decide how many series there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sp import __version__

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one process, in a registry of its own: two services in one process do not share any."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._sign_ins = Counter(
            "virtual_office_sign_ins",
            "Responses at the assertion consumer service, by outcome and the first failed check.",
            ("outcome", "code"),
            registry=self.registry,
        )
        self._sign_in_seconds = Histogram(
            "virtual_office_sign_in_seconds",
            "How long judging a response and recording the attempt took.",
            ("outcome",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._sign_outs = Counter(
            "virtual_office_sign_out_messages",
            "Logout messages, by outcome and the first failed check.",
            ("outcome", "code"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "virtual_office_request_seconds",
            "How long requests took, by method and status.",
            ("method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def signed_in(self, failed: Iterable[str], seconds: float, *, accepted: bool) -> None:
        """One response was judged. `failed` are the codes of its report."""
        outcome = _outcome(accepted)
        self._sign_ins.labels(outcome, next(iter(failed), "")).inc()
        self._sign_in_seconds.labels(outcome).observe(seconds)

    def signed_out(self, failed: Iterable[str], *, accepted: bool) -> None:
        """One logout message was judged."""
        self._sign_outs.labels(_outcome(accepted), next(iter(failed), "")).inc()

    def answered(self, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        known = method if method in _METHODS else "other"
        self._request_seconds.labels(known, str(status)).observe(seconds)

    def exposition(self, moment: Moment) -> bytes:
        """The text format (version 0.0.4), with what only the moment of asking knows."""
        now = CollectorRegistry()
        now.register(moment)
        return generate_latest(self.registry) + generate_latest(now)


class Moment(Collector):
    """Values that are not counted but looked up when somebody asks."""

    def __init__(
        self,
        *,
        sessions: dict[str, int],
        connections: dict[str, int],
        connections_limit: int,
        workers: int,
        dropped_log_lines: int = 0,
    ) -> None:
        self._sessions = sessions
        self._workers = workers
        self._connections = connections
        self._limit = connections_limit
        self._dropped_log_lines = dropped_log_lines

    def collect(self) -> Iterator[Metric]:
        yield _gauge("virtual_office_sessions", "Sessions that have not expired.", "kind", self._sessions)
        yield _gauge(
            "virtual_office_database_connections",
            "Connections of this process to the database.",
            "state",
            self._connections,
        )
        limit = GaugeMetricFamily("virtual_office_database_connections_limit", "How many of them there may be.")
        limit.add_metric([], self._limit)
        yield limit
        workers = GaugeMetricFamily(
            "virtual_office_workers", "Processes that share this port; the counters are those of the one that answered."
        )
        workers.add_metric([], self._workers)
        yield workers
        dropped = CounterMetricFamily(
            "virtual_office_log_lines_dropped", "Log lines that could not be written: a full disk, or a closed pipe."
        )
        dropped.add_metric([], self._dropped_log_lines)
        yield dropped
        yield _gauge("virtual_office_info", "The version of the program.", "version", {__version__: 1})


def _gauge(name: str, sentence: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, sentence, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _outcome(accepted: bool) -> str:
    return "accepted" if accepted else "refused"
