"""All that is said of a study: the Turing test where one was asked, and all answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from readerstudy.analysis import turing
from readerstudy.analysis.after_consensus import AfterConsensus, after_consensus
from readerstudy.analysis.answers import QuestionAnswers, answers_of
from readerstudy.analysis.datasets import Dataset
from readerstudy.analysis.turing import TuringReport


@dataclass(frozen=True)
class Report:
    """The results of a study."""

    turing: TuringReport | None
    answers: list[QuestionAnswers]
    after_consensus: list[AfterConsensus] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the results as JSON at full precision."""
        return {
            **(self.turing.to_dict() if self.turing else {}),
            "answers": [question.to_dict() for question in self.answers],
            "after_consensus": [endpoint.to_dict() for endpoint in self.after_consensus],
        }


def analyse(data: Dataset) -> Report:
    """Compute what the study's questions allow."""
    asked = data.study.questions.filter(code=turing.QUESTION, truth__source="origin").exists()
    return Report(turing.analyse(data) if asked else None, answers_of(data), after_consensus(data))
