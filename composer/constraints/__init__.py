"""What must hold, whatever the model says: each constraint, and what they ask of one cell.

Nothing here knows the model, the sampler or the score that is written: ``composer.writing`` finds
the cells that a constraint is about, ``composer.decoding`` keeps it, ``composer.checking`` checks
it.
"""
