"""What a list shows as a file: CSV or a workbook, at once or by a job, noted in the journal."""
