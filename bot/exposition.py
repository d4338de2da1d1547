"""The figures in Prometheus's text format, by its own library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.metrics import WAITS, Figure, Labels, Waits

Values = Mapping[Figure, Mapping[Labels, float]]


class _Families(Collector):
    """All figures as the families that the library writes."""

    def __init__(self, counted: Values, standing: Values, waited: Figure, waits: Mapping[Labels, Waits]) -> None:
        self._counted = counted
        self._standing = standing
        self._waited = waited
        self._waits = waits

    def collect(self) -> Iterator[Metric]:
        for figure, values in self._counted.items():
            counter = CounterMetricFamily(figure.name, figure.words, labels=figure.labels)
            for labels, value in values.items():
                counter.add_metric(labels, value)
            yield counter
        for figure, values in self._standing.items():
            gauge = GaugeMetricFamily(figure.name, figure.words, labels=figure.labels)
            for labels, value in values.items():
                gauge.add_metric(labels, value)
            yield gauge
        yield self._histogram()

    def _histogram(self) -> Metric:
        histogram = HistogramMetricFamily(self._waited.name, self._waited.words, labels=self._waited.labels)
        bounds = [*(str(float(bound)) for bound in WAITS), "+Inf"]
        for labels, waits in self._waits.items():
            histogram.add_metric(labels, list(zip(bounds, accumulate(waits.places), strict=True)), waits.total)
        return histogram


def written(counted: Values, standing: Values, waited: Figure, waits: Mapping[Labels, Waits]) -> bytes:
    """Everything as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(counted, standing, waited, waits))
    return generate_latest(registry)
