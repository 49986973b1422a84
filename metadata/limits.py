"""The limits of metadata: each has a name, and the fault that it causes quotes it."""

document_bytes = 1_000_000  # one component, as JSON
objects = 2_000  # of a tenant
fields_of_object = 800
parts_of_kind = 500  # record types, layouts, list views or rules of one object
global_components = 2_000  # of one kind that belongs to no object
dependent_picklists = 4  # in a row: three that follow from one
master_details = 5  # in a row: lines of lines of lines
lookup_path = 5  # lookups in one path
formula_joins = 40  # other records that the formula fields of one object look at, in one statement
changes_of_draft = 20_000
components_of_package = 20_000
package_bytes = 10_000_000  # a package as one file, as it is sent
package_unpacked_bytes = 40_000_000  # and what comes out of it
package_files = 25_000
calendar_days = 5_000  # of a business calendar that are not as the week says
calendar_span = 366  # days off in one line
