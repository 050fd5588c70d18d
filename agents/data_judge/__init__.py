"""What can be checked in a step without a model: figures, and the facts of the patient that a vignette states.

Precision comes first: a check that is not sure what a figure refers to says nothing.
"""
