"""What runs, made of what `redeem` returned: the job of a run.

A rehearsal of a draft with tests of its own runs the script and then these, in one process: both
lie beside the parameters as they are, and a script of ours runs the one after the other. No other
run ever sees tests.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.approval.redeem import Countersigned
from core.canonical import canonical, sha256
from sandbox import inside
from sandbox.job import Job, Sha, Shape

TESTED = Path(inside.__file__).with_name("tested.py")


def job_of(run: str, ready: Countersigned, shape: Shape, payload: Callable[[Sha], bytes]) -> Job:
    """Return the job that a countersigned draft is for its purpose."""
    draft, regions = ready.draft, ready.terms.target.regions
    rehearsed = ready.terms.purpose == "rehearse"
    script = ready.script
    inputs = {} if rehearsed else {name: payload(content) for name, content in draft.inputs}
    if rehearsed and draft.tests is not None:
        inputs = {"script.py": script, "tests.py": draft.tests}
        script = TESTED.read_bytes()
    variables = {"AWS_ACCESS_KEY_ID": ready.access_key}
    if regions:
        variables |= {"AWS_REGION": regions[0], "AWS_DEFAULT_REGION": regions[0]}
    return Job(
        run=run,
        shape=shape,
        script=script,
        script_digest=sha256(script),
        parameters=canonical(draft.parameters),
        inputs=inputs,
        variables=variables,
    )
