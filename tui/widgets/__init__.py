"""What the screen consists of: each widget paints a value of tui/views.py."""
