"""The verbs, served by the model that comes with the package; importing this loads it."""

from composer.api import load

_composer = load()

melody = _composer.melody
chords = _composer.chords
harmonize = _composer.harmonize
arrange = _composer.arrange
infill = _composer.infill
extend = _composer.extend
vary = _composer.vary
reduce = _composer.reduce
stream = _composer.stream
