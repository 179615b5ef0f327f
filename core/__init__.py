"""What an investigation is: pure values and decisions in the middle, effects at the edge."""
