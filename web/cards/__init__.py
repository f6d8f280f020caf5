"""Cards beside a record, one file for each kind of rule."""
