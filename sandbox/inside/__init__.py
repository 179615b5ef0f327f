"""The first code that runs inside the walls: standard library only, delivered as bytes."""
