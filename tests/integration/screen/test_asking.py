"""A model at work: questions about the step that waits, and a reject that goes back to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config import load
from core.errors import ModelUnavailable
from core.events import NoteAdded, NoteAnswered
from core.llm.choose import model_planner
from core.llm.model import Question
from core.llm.scripted import Answer, Scripted
from core.llm.usage import ModelAnswered, Usage
from core.planner import Planner

Play = Callable[..., Any]
PLAN: dict[str, Any] = {
    "hypotheses": [],
    "step": {
        "title": "Look",
        "why": "to know",
        "work": "collect",
        "task": "look at the alarms",
        "parameters": [],
        "inputs": [],
    },
    "answer": None,
}
CODE: dict[str, Any] = {
    "script": "print('PRINTED BY THE SCRIPT')\n",
    "allow": [{"actions": ["cloudwatch:DescribeAlarms"], "resources": ["*"], "conditions": []}],
    "requirements": [],
}
HOSTILE = "Line 1 prints.\x1b]52;c;aGk=\x07\u202e It reads nothing."


@pytest.fixture
def planner(tmp_path: Path) -> Callable[..., tuple[Planner, Scripted]]:
    """Return what makes a real planner over a model with prepared answers, and that model."""

    def made(said: Answer, code: Answer = CODE, work: str = "collect") -> tuple[Planner, Scripted]:
        plan = {**PLAN, "step": {**PLAN["step"], "work": work}}

        def answer(question: Question) -> Answer:
            return {"plan": plan, "generate": code}.get(question.role, said)

        model = Scripted(answer, name="claude-opus-4-5", usage=Usage(1000, 200))
        settings = load(None, {"COUNTERSIGN_DATA": str(tmp_path)})
        return model_planner(settings, model, model), model

    return made


async def ask(screen: Any, text: str) -> None:
    """Type a question and send it."""
    await screen.press("i")
    await screen.type(text)
    await screen.press("enter", "enter")
    assert screen.bridge.session.notes == (), "Enter sends nothing"
    await screen.press("i")


def test_a_question_is_answered_at_once_and_changes_nothing(play: Play, planner: Any) -> None:
    """Question, bill and answer are on record in this order; the same digest stays open."""
    works, model = planner({"text": HOSTILE})

    async def walk(screen: Any) -> None:
        await screen.armed()
        digest = screen.bridge.asked.digest
        cost = screen.bridge.session.model_cost
        await ask(screen, "what does line 1 do")
        await screen.until(lambda: "It reads nothing." in screen.text, "it is answered")
        assert "␛]52" in screen.text
        assert "\u202e" not in screen.text
        [asked] = [each for each in screen.facts if isinstance(each.event, NoteAdded)]
        [said] = [each for each in screen.facts if isinstance(each.event, NoteAnswered)]
        assert asked.event.question
        assert asked.seq < said.seq
        assert said.event == NoteAnswered(asked.seq, HOSTILE)
        bills = [f.event for f in screen.facts if isinstance(f.event, ModelAnswered)]
        assert [each.role for each in bills] == ["plan", "generate", "explain"]
        assert screen.bridge.session.model_cost > cost
        assert screen.decisions == []
        await screen.press("escape")
        await screen.armed()
        assert screen.bridge.asked.digest == digest
        await screen.press("5")
        await screen.until(lambda: "the planner answers: Line 1" in screen.text, "it is told")

    play(walk, planner=works)
    told = model.asked[-1].texts()
    assert "PRINTED BY THE SCRIPT" in told
    assert "The engineer on call asks: what does line 1 do" in told


def test_whoever_answers_is_told_all_of_the_draft(play: Play, planner: Any) -> None:
    """Rollback, post-check, tests, parameters and packages go with the question, by their names."""
    whole = {part: f"print('{part} PART')\n" for part in ("rollback", "post_check", "tests")}
    works, model = planner({"text": "said"}, {**CODE, **whole}, "change")

    async def walk(screen: Any) -> None:
        await screen.armed()
        await ask(screen, "how back")
        await screen.until(lambda: "said" in screen.text, "it is answered")

    play(walk, planner=works)
    told = model.asked[-1].texts()
    for part in whole:
        assert f" {part}>" in told
        assert f"{part} PART" in told
    assert " parameters>" in told
    assert "eu-west-1" in told.partition(" parameters>")[2].partition("</")[0]
    assert " packages>" in told


def test_a_model_that_fails_answers_nothing_and_ends_nothing(play: Play, planner: Any) -> None:
    """Why there is no answer stands on the page and on record; the request stays open."""
    works, _ = planner(ModelUnavailable("it is away"))

    async def walk(screen: Any) -> None:
        await screen.armed()
        await ask(screen, "why")
        await screen.until(lambda: "No answer: it is away" in screen.text, "it says why")
        assert screen.bridge.session.answered[0].text == ""
        assert screen.decisions == []
        assert screen.bridge.asked is not None

    play(walk, planner=works)


def test_no_more_is_asked_than_the_budget_allows(play: Play, planner: Any) -> None:
    """When what models may cost is used up, no model is asked and the page says so."""
    works, model = planner({"text": "said once"})

    async def walk(screen: Any) -> None:
        await screen.armed()
        await ask(screen, "why")
        await screen.until(lambda: "said once" in screen.text, "it is answered")
        await screen.press("escape")
        await screen.armed()
        await screen.press("i", "x", "enter", "i")
        await screen.until(lambda: "are used up" in screen.text, "it says why")
        assert [each.role for each in model.asked] == ["plan", "generate", "explain"]
        assert screen.bridge.asked is not None

    play(walk, planner=works, settings="budget:\n  cents: 3\n")


def test_without_a_model_the_screen_says_so_in_a_line(play: Play) -> None:
    """No dialog opens for a question that nobody could answer."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("i")
        assert "no model works on this session" in screen.text
        assert len(screen.app.screen_stack) == 1

    play(walk)


def test_what_comes_of_a_reject_is_asked_about_before_it_runs(play: Play, planner: Any) -> None:
    """The reason reaches the model; its next version is a new request, and nothing ran between."""
    works, model = planner({**CODE, "script": "print('another')\n"})

    async def walk(screen: Any) -> None:
        await screen.armed()
        digest = screen.bridge.asked.digest
        await screen.press("r")
        await screen.type("only one region")
        await screen.press("enter", "r")
        await screen.armed("R2")
        kinds = [fact.event.kind for fact in screen.facts]
        after = kinds[kinds.index("decision.made") :]
        assert after.count("draft.generated") == 1
        assert after[-1] == "decision.requested"
        assert not any(kind.startswith(("run.", "evidence.")) for kind in kinds)
        assert screen.bridge.asked.digest != digest
        assert [each.verb for each in screen.decisions] == ["reject"]
        assert any("only one region" in str(each) for each in model.asked)
        await screen.press("d")
        await screen.until(lambda: "version 1 → 2" in screen.text, "what changed is shown")

    play(walk, planner=works)
