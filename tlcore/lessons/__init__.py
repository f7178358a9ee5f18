"""What a teacher does with the lab: lesson plans, and a guided tour of each page."""

from .plan import Plan, Step, address
from .plans import PLANS
from .tours import TOURS, Stop

__all__ = ["PLANS", "Plan", "Step", "Stop", "TOURS", "address"]
