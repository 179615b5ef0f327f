"""Models: the port, those who answer through it, what they cost, and the planner that asks them."""
