"""What a policy allows, and how dangerous that is."""

from core.iam.conditions import UNKNOWN
from core.iam.containment import covers
from core.iam.evaluate import evaluate

__all__ = ["UNKNOWN", "covers", "evaluate"]
