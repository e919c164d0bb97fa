"""What the server counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """Of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Gauge("playahead_sessions", "Sessions under way", ["kind"], registry=self.registry)
        self.answers = Histogram(
            "playahead_answer_seconds",
            "From the last row or frame that an answer rests on to the answer",
            ["kind"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.rows = Counter("playahead_rows", "Rows taken", registry=self.registry)
        self.dropped = Counter("playahead_dropped_frames", "Frames that nobody took in time", registry=self.registry)
        self.problems = Counter("playahead_problems", "Requests refused", ["status"], registry=self.registry)
