"""The findings of a check, as lines for a person and as a verdict for a script. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ..text.visible import visible

__all__ = ["Blame", "Finding", "failed", "noted", "passed", "render", "summary", "worst"]


class Blame(Enum):
    """The reason why a check did not pass. In the order in which to put it right."""

    CONFIGURATION = "something is not as the configuration says"
    NOT_AUTHORIZED = "this box may not do what it must"
    UNAVAILABLE = "something cannot be reached or used"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `subject`, what was `seen`, and what to do about it.

    `blame` is None for what passed. A `note` neither passes nor fails.
    """

    subject: str
    seen: str
    what_to_do: str = ""
    blame: Blame | None = None
    note: bool = False


def passed(subject: str, seen: str) -> Finding:
    """All is well with `subject`."""
    return Finding(subject, seen)


def noted(subject: str, seen: str, what_to_do: str = "") -> Finding:
    """Something worth knowing, and no failure."""
    return Finding(subject, seen, what_to_do, note=True)


def failed(subject: str, seen: str, what_to_do: str, blame: Blame) -> Finding:
    """Something that keeps the bridge from working."""
    return Finding(subject, seen, what_to_do, blame)


def render(finding: Finding) -> str:
    """One line, and one more where there is something to do."""
    verdict = "note" if finding.note else "pass" if finding.blame is None else "FAIL"
    line = visible(f"{verdict}  {finding.subject}: {finding.seen}")
    return f"{line}\n      → {visible(finding.what_to_do)}" if finding.what_to_do else line


def summary(findings: Iterable[Finding]) -> str:
    """The last line."""
    counted = [finding for finding in findings if not finding.note]
    failures = sum(finding.blame is not None for finding in counted)
    if failures:
        return f"{failures} of {len(counted)} checks failed"
    return f"all {len(counted)} checks passed"


def worst(findings: Iterable[Finding]) -> Blame | None:
    """The reason to put right first; None where all passed."""
    found = {finding.blame for finding in findings}
    return next((blame for blame in Blame if blame in found), None)
