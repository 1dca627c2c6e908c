"""The committed records, of which every run of the tests measures a random sample again."""

from common.experiments import audit


def test_a_sample_of_the_records_is_what_they_were():
    """A failure shows the table and the seed that draws the same sample again."""
    assert audit.main(["sample"]) == 0
