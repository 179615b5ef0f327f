"""What people touch: the command line today, the full screen later."""
