"""Approvals: the first answer wins, the deadline refuses, and what is over is over."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT, Decision, Verdict
from codetether_core.approvals import (
    TRANSITIONS,
    Approval,
    ApprovalKind,
    ApprovalState,
    Option,
    OptionKind,
    answer,
    expire,
    judged,
    withdraw,
)
from codetether_core.errors import AlreadyAnswered, DeniedByPolicy, IllegalTransition, Invalid
from codetether_core.ids import ApprovalId, CodebaseId, TaskId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
YES, NO, NEVER = (
    Option(id="yes", label="Yes"),
    Option(id="no", label="No", allows=False),
    Option(id="never", label="Never", allows=False),
)


def asked(*options: Option) -> Approval:
    return Approval(
        id=ApprovalId("apr_1"),
        tenant=DEFAULT_TENANT,
        task=TaskId("tsk_1"),
        codebase=CodebaseId("cb_1"),
        grant="1.nonce1",
        kind=ApprovalKind.PERMISSION if options else ApprovalKind.QUESTION,
        prompt="May I?",
        created_at=NOW,
        deadline=NOW + timedelta(hours=1),
        options=options,
    )


CHOICE, WORDS = asked(YES, NO, NEVER), asked()
VERBS = {
    "answer": lambda approval: answer(approval, NOW, by="carol", choice="yes", text="yes"),
    "expire": lambda approval: expire(approval, NOW),
    "withdraw": lambda approval: withdraw(approval, NOW),
}


@pytest.mark.parametrize("approval", [CHOICE, WORDS], ids=["choice", "words"])
@pytest.mark.parametrize("state", ApprovalState)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_every_state_has_a_row_or_is_refused(approval: Approval, state: ApprovalState, verb: str) -> None:
    approval = evolve(approval, state=state, answered_by="dave" if state is ApprovalState.ANSWERED else None)
    if (state, verb) in TRANSITIONS:
        after = VERBS[verb](approval)
        assert (after.state, after.version, after.ended_at) == (TRANSITIONS[state, verb], approval.version + 1, NOW)
    else:
        with pytest.raises((IllegalTransition, AlreadyAnswered)):
            VERBS[verb](approval)


def test_only_an_open_approval_has_anything_ahead_of_it() -> None:
    assert set(TRANSITIONS) == set(product([ApprovalState.OPEN], VERBS))
    assert set(TRANSITIONS.values()) == set(ApprovalState) - {ApprovalState.OPEN}


@given(st.permutations(["carol", "dave", "erin"]))
def test_the_second_answer_gets_a_conflict_that_names_the_winner(people: list[str]) -> None:
    """Two people click at once; the one who lost wants to know whose word holds, even if they agree."""
    first, *others = people
    answered = answer(CHOICE, NOW, by=first, choice="no")
    assert (answered.choice, answered.answered_by) == ("no", first)
    for other in others:
        with pytest.raises(AlreadyAnswered) as refused:
            answer(answered, NOW, by=other, choice="no")
        assert (refused.value.winner, refused.value.details["winner"]) == (first, first)


@pytest.mark.parametrize("choice", [None, "", "YES", "maybe", "Yes"])
def test_an_answer_is_one_of_the_choices(choice: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        answer(CHOICE, NOW, by="carol", choice=choice, text="yes")
    assert (refused.value.field, refused.value.problem) == ("choice", "must be one of: yes, no, never")


def test_words_may_come_with_a_choice() -> None:
    answered = answer(CHOICE, NOW, by="carol", choice="no", text="not on a Friday")
    assert (answered.choice, answered.text) == ("no", "not on a Friday")


@pytest.mark.parametrize("text", [None, ""])
def test_a_question_without_choices_wants_words(text: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        answer(WORDS, NOW, by="carol", text=text)
    assert refused.value.field == "text"
    assert answer(WORDS, NOW, by="carol", text="blue").text == "blue"


@given(st.lists(st.sampled_from([YES, NO, NEVER]), unique=True))
def test_a_deadline_never_allows(options: list[Option]) -> None:
    """Silence is no consent: the first option that refuses is taken, and where there is none nothing is."""
    expired = expire(asked(*options), NOW)
    taken = next((option for option in options if option.id == expired.choice), None)
    assert taken == next((option for option in options if not option.allows), None)
    assert (expired.state, expired.answered_by) == (ApprovalState.EXPIRED, "deadline")


def test_an_approval_that_is_withdrawn_has_no_answer() -> None:
    gone = withdraw(CHOICE, NOW)
    assert (gone.choice, gone.text, gone.answered_by) == (None, None, None)


ONCE, ALWAYS = (Option(id=kind, label=kind, kind=kind) for kind in (OptionKind.ALLOW_ONCE, OptionKind.ALLOW_ALWAYS))
NOT, NOT_EVER = (Option(id=kind, label=kind, kind=kind) for kind in (OptionKind.REJECT_ONCE, OptionKind.REJECT_ALWAYS))
OFFERED = st.permutations([YES, NO, ONCE, ALWAYS, NOT, NOT_EVER]).flatmap(
    lambda options: st.integers(0, len(options)).map(lambda most: options[:most])
)


def test_a_kind_tells_a_yes_from_a_no() -> None:
    assert [option.allows for option in (YES, ONCE, ALWAYS, NO, NOT, NOT_EVER)] == [True] * 3 + [False] * 3


@given(OFFERED)
def test_what_refuses_this_once_goes_before_what_refuses_for_good(options: list[Option]) -> None:
    refusal = asked(*options).refusal
    assert refusal is None or not refusal.allows
    assert (refusal is NOT_EVER) == (NOT_EVER in options and not {NO, NOT} & {*options})
    assert (refusal is None) == (not {NO, NOT, NOT_EVER} & {*options})


@given(OFFERED, st.sampled_from(Decision))
def test_a_policy_answers_with_an_option_that_says_so(options: list[Option], decision: Decision) -> None:
    """And no other; a yes is for this once, whatever else is offered, or the only one that there is."""
    verdict = Verdict(decision=decision, rule="a_rule", reason="Because.")
    wish = asked(*options)
    if decision is Decision.DENY and wish.refusal is None:
        with pytest.raises(DeniedByPolicy) as denied:
            judged(wish, verdict, NOW)
        assert (denied.value.rule, denied.value.message) == ("a_rule", "Because.")
        return
    after = judged(evolve(wish, held=False), verdict, NOW)
    if after.state is ApprovalState.OPEN:
        assert decision is Decision.ASK or (ONCE not in options and (ALWAYS in options or YES not in options))
        assert after == evolve(wish, held=False, asked_by_rule="a_rule") and not after.judged
    else:
        choice = next(option for option in options if option.id == after.choice)
        assert choice.allows == (decision is Decision.ALLOW) and choice is not ALWAYS
        assert (choice is YES) == (decision is Decision.ALLOW and ONCE not in options)
        assert (after.answered_by, after.text, after.ended_at) == ("policy:a_rule", "Because.", NOW)
        assert after.judged and after.held and after.version == 1
