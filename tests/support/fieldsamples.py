"""A sample of each field type, what the matrix of types and paths is made from.

A type that has no row here fails ``tests/laws/test_field_matrix.py``.
"""

from fieldsample import Sample
from samples_chosen import CHOSEN
from samples_people import PEOPLE
from samples_plain import PLAIN

SAMPLES: tuple[Sample, ...] = (*PLAIN, *CHOSEN, *PEOPLE)
