"""What `make scratch` reported follows from the committed records of both measurements."""

import pytest

from common.experiments import Store, audit
from common.notebooks import EVIDENCE

FOLDER = audit.ROOT / EVIDENCE


@pytest.mark.parametrize("study", sorted(path.name for path in (FOLDER / "scratch").iterdir()))
def test_the_summary_of_make_scratch_is_that_of_both_measurements(study):
    work = []
    for function, store in audit.stores(study):
        again = Store(FOLDER / "scratch" / store.path.relative_to(audit.ROOT))
        first = {name: record for name, record in store.read().items() if name in again.read()}
        work.append((function, first, again))
    summary = (FOLDER / f"scratch_{study}.txt").read_text(encoding="utf-8")
    assert summary == f"{audit.summary(audit.compared(work))}\n"
