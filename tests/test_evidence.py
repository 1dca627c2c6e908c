"""What `make scratch` reported follows from the committed records of both measurements."""

import pandas as pd
import pytest

from common import audit, claims, notebooks
from common.experiments import Store
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


@pytest.mark.parametrize("path", sorted(FOLDER.glob("claims_*.csv")), ids=lambda path: path.stem)
def test_the_claims_of_the_first_measurement_are_those_of_the_notebooks(path):
    table = pd.read_csv(path)
    for name, rows in table.groupby("notebook"):
        [notebook] = audit.ROOT.glob(f"*/{name}.ipynb")
        assert dict(zip(rows["claim"], rows["first"], strict=True)) == dict(
            claims.made_in(notebooks.read(notebook))
        )
    assert table["second"].notna().all()
