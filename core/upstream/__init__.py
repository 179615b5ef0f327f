"""Where judged calls go: implementations of the one `sandbox.job.Upstream` port."""
