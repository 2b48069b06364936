"""What Prometheus reads, read by its own parsers and held against its conventions."""

import re
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

__all__ = ["faults", "read", "value"]

_UNITS_TO_AVOID = ("milliseconds", "_ms", "minutes", "hours", "kilobytes", "megabytes", "percent")
_TIMES = ("duration", "round_trip", "wait", "commit", "latency")


def read(text: str, *, openmetrics: bool = False) -> dict[str, Metric]:
    """The families by name; a family that comes twice is an error."""
    parse: Callable[[str], Iterable[Metric]] = open_metrics if openmetrics else plain
    families = list(parse(text))
    by_name = {family.name: family for family in families}
    assert len(by_name) == len(families)
    return by_name


def value(families: Mapping[str, Metric], sample: str, **labels: str) -> float:
    """Of the one sample with this name whose labels are, or begin with, these."""
    [found] = [
        each.value
        for family in families.values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    return float(found)


def faults(text: str, *, openmetrics: bool = False) -> list[str]:
    """What `promtool check metrics` would say, and what is a matter of our own."""
    found = [
        f"{family.name}: {what}"
        for family in read(text, openmetrics=openmetrics).values()
        for what, is_wrong in _CHECKS.items()
        if is_wrong(family)
    ]
    if not openmetrics:  # there the suffix is not the family's
        counters = re.findall(r"^# TYPE (\S+) counter$", text, re.MULTILINE)
        found += [f"{name}: lacks _total" for name in counters if not name.endswith("_total")]
    return found


def _is_ours(family: Metric) -> bool:
    return not family.name.startswith("process_")


_CHECKS: dict[str, Callable[[Metric], bool]] = {
    "has another prefix": lambda family: (
        _is_ours(family) and not family.name.startswith("hmp_bridge_")
    ),
    "has no help": lambda family: not family.documentation.strip(),
    "has no type": lambda family: family.type in ("unknown", "untyped"),
    "is not in a base unit": lambda family: any(unit in family.name for unit in _UNITS_TO_AVOID),
    "has another type's suffix": lambda family: (
        family.type in ("gauge", "histogram")
        and family.name.endswith(("_total", "_count", "_sum", "_bucket"))
    ),
    "is a time and does not end in its unit": lambda family: (
        _is_ours(family)
        and (family.type == "histogram" or any(word in family.name for word in _TIMES))
        and not family.name.endswith("_seconds")
    ),
    "has a value per thing": lambda family: any(
        label in sample.labels
        for sample in family.samples
        for label in ("room", "id", "session", "topic", "instance", "job")
    ),
}
