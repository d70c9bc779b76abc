"""The verbs, a file each: what is given, which cells are written, under which rules.

They are plain functions whose first argument is the ``Model`` that serves them; ``Composer`` holds
one and binds them as its methods. All but ``reduce`` and ``stream`` end in
``composer.planning.write.write``.

Conventions
-----------
Bars count from 1 here, as in every DAW. What a verb returns is a new ``Score``; of the score it
was given it keeps every event outside the cells it wrote, tick for tick.
"""
