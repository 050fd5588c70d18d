"""The Ray back end: traces are dealt to workers on any number of machines. Ray is imported on demand only."""
