"""What `make scratch` reported follows from the committed records of both measurements."""

import pandas as pd
import pytest

from common import notebooks
from common.experiments import Store, audit
from common.notebooks import EVIDENCE, claims

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
    study, table = path.stem.removeprefix("claims_"), pd.read_csv(path)
    committed = [(n.stem, *made) for n in notebooks.paths() if n.parent.name == study
                 for made in claims.made_in(notebooks.read(n))]  # fmt: skip
    first = table[["notebook", "claim", "first"]].itertuples(index=False, name=None)
    assert sorted(first) == sorted(committed)
    assert table["second"].notna().all()
