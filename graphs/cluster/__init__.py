"""The Ray back end: workers on any number of machines judge the traces of a run. Ray is imported on demand only."""
