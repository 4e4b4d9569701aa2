"""The trail: checks in order, the first fault, and whether all was made and holds."""

from grantway.trail import Outcome, Trail


def test_a_trail_that_passes() -> None:
    trail = Trail()
    assert trail.check("first", True)
    assert trail.check("second", True, age=1)
    assert trail.passed
    assert trail.first_failed is None
    assert [(check.name, check.outcome, dict(check.evidence)) for check in trail.checks] == [
        ("first", Outcome.PASSED, {}),
        ("second", Outcome.PASSED, {"age": 1}),
    ]


def test_the_first_fault_is_told_and_the_others_kept() -> None:
    trail = Trail()
    trail.check("first", True)
    assert not trail.check("second", False)
    trail.check("third", False)
    assert trail.first_failed == "second"
    assert not trail.passed
    assert len(trail.checks) == 3


def test_what_was_not_reached_neither_failed_nor_passed() -> None:
    trail = Trail()
    trail.not_reached("first", "second")
    assert trail.first_failed is None
    assert not trail.passed


def test_evidence_may_have_any_name() -> None:
    trail = Trail()
    trail.check("first", True, name="x", holds="y")
    assert trail.checks[0].evidence == {"name": "x", "holds": "y"}


def test_only_some_checks() -> None:
    trail = Trail(facts={"secret_version": 1})
    trail.check("first", True)
    trail.check("second", False, age=1)
    trail.check("third", False)
    kept = trail.only({"first", "third", "fourth"})
    assert [(check.name, check.outcome) for check in kept.checks] == [("first", Outcome.PASSED), ("third", Outcome.FAILED)]
    assert (kept.first_failed, kept.passed, kept.facts) == ("third", False, {})
    assert trail.only({"first"}).passed
    assert trail.first_failed == "second"


def test_trails_share_nothing() -> None:
    Trail().check("first", False)
    assert Trail().checks == []
