"""Files of records: taken in, judged, shown as pictures, held by a field or attached, given out, removed."""
