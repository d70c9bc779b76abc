"""What decoding gave back of a score, counted again note by note with plain loops.

    python -m tests.fuzz.raw_loss FOLDER [--most N]

Knows nothing of how scores are quantised: it looks for what stands for each note, tempo, chord...
of a score in what its ids decode to, and ``disagreements`` compares that with what the tokenizer's
``LossReport`` says. As a program it does so for every MIDI file below FOLDER, in several formats.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
import time
import warnings
from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from composer.errors import ComposerError, SymbolError
from composer.score.score import Score, Track
from composer.theory.chords import parse_chord
from composer.tokenizers import REMI, Cells, CellsConfig, RemiConfig, REMIPlus

FORMATS = [
    REMI(),
    REMIPlus(),
    REMIPlus(
        RemiConfig(
            programs=True,
            time_signatures=True,
            rests=True,
            microtiming=8,
            pedals=True,
            pitch_bends=63,
            velocity_bins=32,
            tempo_bins=193,
        )
    ),
    REMIPlus(
        RemiConfig(
            programs=True,
            tempos=False,
            chords=False,
            drum_tokens=False,
            velocity_bins=0,
            resolution=4,
            durations=(1, 2, 4, 8, 16),
        )
    ),
    REMI(RemiConfig(relative_pitch=True, time_signatures=True, velocity_bins=127, resolution=24)),
    Cells(),
    Cells(CellsConfig(velocity_bins=5)),
]


class Comparison:
    """A score beside what its ids decode to; ``seen`` counts as a ``LossReport`` does."""

    def __init__(self, tokenizer, score, decoded):
        self.tokenizer, self.score, self.decoded = tokenizer, score, decoded
        self.wrong = []  # what no report could excuse
        self.seen = dict.fromkeys((f.name for f in dataclasses.fields(tokenizer.loss(Score()))), 0)
        self.steps = max(1, getattr(tokenizer.config, "microtiming", 0))
        self.grid = decoded.tpq // self.steps  # positions a quarter
        self.shifts = []
        self.compare_tracks()
        self.compare_meters()
        self.compare_tempos()
        self.compare_chords()
        self.compare_keys()
        self.seen["events_moved"] = sum(shift > 0 for shift in self.shifts)
        self.seen["event_shift_max"] = max(self.shifts, default=0)

    def apart(self, tick, place):
        """Return how far a place of the decoded score is from a tick of the score, in beats."""
        return abs(tick * self.decoded.tpq - place * self.score.tpq) / (
            self.score.tpq * self.decoded.tpq
        )

    def position(self, tick):
        """Return the place of the position nearest to a tick, the later of two."""
        return self.steps * math.floor(tick * self.grid / self.score.tpq + 0.5)

    def place(self, tick):
        """Return the place nearest to a tick, the later of two."""
        return math.floor(tick * self.decoded.tpq / self.score.tpq + 0.5)

    def compare_tracks(self):
        score, decoded, seen = self.score, self.decoded, self.seen
        has_programs = "Program" in self.tokenizer.vocabulary.base
        errors, lengths, loudness = [], [], []
        parts = self.parts()
        seen["tracks_dropped"] = len(score.tracks) - len(decoded.tracks)
        for track in score.tracks:
            seen["notes"] += len(track.notes)
            seen["names_dropped"] += track.name != ""
            is_sustain = track.controls["number"] == 64
            seen["events_dropped"] += len(track.lyrics) + len(track.controls)
            seen["events_dropped"] -= sum(is_sustain.tolist()) if len(track.pedals) else 0
            seen["pedals_dropped"] += len(track.pedals)
            seen["pitch_bends_dropped"] += len(track.pitch_bends)
        seen["events_dropped"] += len(score.markers)
        for given, found in parts:
            if found is None:
                seen["notes_dropped"] += sum(len(track.notes) for track in given)
                if has_programs and any(len(track.notes) for track in given):
                    self.wrong.append("a part with notes is gone")
            if found is None and given[0].is_drum:
                continue
            found = found or Track()
            for track in given:
                if len(track.notes):
                    seen["programs_changed"] += track.program != found.program
                    if track.is_drum != found.is_drum:
                        self.wrong.append("drums became no drums")
            self.compare_notes(given, found, errors, lengths, loudness)
            self.compare_pedals(given, found)
            self.compare_bends(given, found)
        seen["onsets_moved"] = sum(error > 0 for error in errors)
        seen["onset_error_mean"] = sum(errors) / max(1, len(errors))
        seen["onset_error_max"] = max(errors, default=0)
        seen["durations_changed"] = sum(error > 0 for error in lengths)
        seen["duration_error_mean"] = sum(lengths) / max(1, len(lengths))
        seen["velocities_changed"] = sum(error > 0 for error in loudness)
        seen["velocity_error_mean"] = sum(loudness) / max(1, len(loudness))
        for track in decoded.tracks:
            if track.name or len(track.controls) or track.lyrics:
                self.wrong.append(f"{track} has what no format says")

    def parts(self):
        """Return the tracks of the score that one decoded track says, and that track or None."""
        decoded = self.decoded.tracks
        if isinstance(self.tokenizer, Cells):
            return self.cells_parts()
        by_program = {(t.is_drum, t.program): t for t in decoded}
        if len(by_program) != len(decoded):
            self.wrong.append("two tracks of one program")
        given = defaultdict(list)
        for track in self.score.tracks:
            has_program = self.tokenizer.config.programs and not track.is_drum
            given[track.is_drum, track.program if has_program else 0].append(track)
        if by_program.keys() - given.keys():
            self.wrong.append("a program that no track has")
        return [(tracks, by_program.get(key)) for key, tracks in given.items()]

    def cells_parts(self):
        """Return the track that each decoded one is: of one program, with the same notes."""
        parts = [([track], None) for track in self.score.tracks if not len(track.notes)]
        left = defaultdict(list)
        for track in self.decoded.tracks:
            left[track.is_drum, track.program].append(track)
        for track in self.score.tracks:
            if not len(track.notes):
                continue
            twins = left[track.is_drum, 0 if track.is_drum else track.program]
            if not twins:
                self.wrong.append(f"{track} is gone")
                continue
            best = min(twins, key=lambda twin: self.strangeness(track, twin))
            twins[:] = [twin for twin in twins if twin is not best]
            parts.append(([track], best))
        return parts

    def strangeness(self, track, twin):
        """Return how badly a decoded track stands for one of the score."""
        said = {
            (onset, pitch): rest
            for onset, *rest, pitch in twin.notes[
                ["onset", "duration", "velocity", "pitch"]
            ].tolist()
        }
        asked = {(self.place(onset), pitch) for onset, _, pitch, _ in track.notes.tolist()}
        off = 0
        longest = defaultdict(lambda: (0, 0))
        for onset, duration, pitch, velocity in track.notes.tolist():
            key = self.place(onset), pitch
            longest[key] = max(longest[key], (duration, velocity))
        for key, (duration, velocity) in longest.items():
            if key in said:
                off += self.apart(duration, said[key][0]) + abs(velocity - said[key][1]) / 1000
        return len(asked ^ said.keys()), off

    def compare_notes(self, given, found, errors, lengths, loudness):
        said = defaultdict(list)  # pitch -> (onset, duration, velocity)
        for onset, duration, pitch, velocity in found.notes.tolist():
            said[pitch].append((onset, duration, velocity))
        stood_for = defaultdict(int)
        longest = self.tokenizer.bins.durations.tolist()[-1]
        count = 0
        for track in given:
            for onset, duration, pitch, velocity in track.notes.tolist():
                count += 1
                scaled = onset * self.decoded.tpq / self.score.tpq
                row = said[pitch]
                if not row:
                    self.wrong.append(f"pitch {pitch} at {onset} is gone")
                    continue
                behind = bisect_left(row, (scaled, -1, -1))
                near = row[max(0, behind - 1) : behind + 1]
                stands = min(near, key=lambda note: (self.apart(onset, note[0]), -note[0]))
                stood_for[pitch, stands[0]] += 1
                errors.append(self.apart(onset, stands[0]))
                loudness.append(abs(stands[2] - velocity))
                if not found.is_drum:
                    lengths.append(self.apart(duration, stands[1]))
                    self.seen["durations_clipped"] += (
                        duration * self.grid > longest * self.score.tpq
                    )
        if len(stood_for) != len(found.notes):
            self.wrong.append(f"{found} has notes that are not in the score, or one twice")
        self.seen["notes_merged"] += count - len(found.notes)

    def compare_pedals(self, given, found):
        if "Pedal" not in self.tokenizer.vocabulary.base or found.is_drum:
            if len(found.pedals):
                self.wrong.append("pedals that no format says")
            return
        self.seen["pedals_dropped"] -= len(found.pedals)
        spans = []
        for track in given:
            for tick, duration in track.pedals.tolist():
                start, end = self.place(tick), self.place(tick + duration)
                self.shifts += [self.apart(tick, start), self.apart(tick + duration, end)]
                spans += [(start, end)] if end > start else []
        said = [(tick, tick + duration) for tick, duration in found.pedals.tolist()]
        if covered(spans) != covered(said):
            self.wrong.append("the pedal is down at other times")

    def compare_bends(self, given, found):
        if not self.tokenizer.bins.bends or found.is_drum:
            if len(found.pitch_bends):
                self.wrong.append("pitch bends that no format says")
            return
        said = found.pitch_bends.tolist()
        self.seen["pitch_bends_dropped"] -= len(said)
        step = 8191 / (self.tokenizer.bins.bends // 2)
        asked = defaultdict(list)
        for track in given:
            for tick, value in track.pitch_bends.tolist():
                asked[self.place(tick)].append(value)
                self.shifts.append(self.apart(tick, self.place(tick)))
                near = round(round(value / step) * step)
                error = abs(value - min(8191, max(-8191, near)))
                self.seen["pitch_bend_error_max"] = max(self.seen["pitch_bend_error_max"], error)
        ticks = [tick for tick, _ in said]
        if set(ticks) - asked.keys():
            self.wrong.append("a pitch bend where there is none")
        for place, values in asked.items():
            behind = bisect_right(ticks, place)
            value = said[behind - 1][1] if behind else 0
            if min(abs(value - one) for one in values) > step / 2 + 1:
                self.wrong.append(f"another pitch bend holds at {place}")

    def holding(self, table, first):
        """Return the rows of a table that count, the last of each tick, with one at tick 0."""
        rows = {0: first}
        for tick, *values in table.tolist():
            rows[tick] = tuple(values)
        return rows

    def is_late(self, tick):
        return tick > 0 and tick >= self.score.end

    def decoded_bar(self, place):
        """Return where the bar around a place of the decoded score begins, its end and meter."""
        rows = self.decoded_meters
        ticks = self.decoded_meter_ticks
        at = bisect_right(ticks, place) - 1
        numerator, denominator = rows[ticks[at]]
        length = 4 * self.decoded.tpq * numerator // denominator
        start = place - (place - ticks[at]) % length
        end = start + length
        if at + 1 < len(ticks):
            end = min(end, ticks[at + 1])
        return start, end, rows[ticks[at]]

    def compare_meters(self):
        given = self.holding(self.score.time_signatures, (4, 4))
        self.decoded_meters = self.holding(self.decoded.time_signatures, (4, 4))
        self.decoded_meter_ticks = sorted(self.decoded_meters)
        for one, next_one in pairwise(self.decoded_meter_ticks):
            numerator, denominator = self.decoded_meters[one]
            if (next_one - one) % (4 * self.decoded.tpq * numerator // denominator):
                self.wrong.append(f"the meter at {next_one} cuts a bar")
        kept = set()
        for tick, meter in given.items():
            place = self.position(tick)
            start, _, found = self.decoded_bar(place)
            if self.apart(tick, place) == 0:
                kept.add(place)
            if self.apart(tick, place) > 0 or start != place or found != meter:
                self.seen["late_dropped" if self.is_late(tick) else "time_signatures_changed"] += 1
        self.seen["time_signatures_added"] = len(self.decoded_meters.keys() - kept)

    def compare_tempos(self):
        given = self.holding(self.score.tempos, (500_000,))
        said = self.holding(self.decoded.tempos, (500_000,))
        ticks = sorted(said)
        says_tempos = "Tempo" in self.tokenizer.vocabulary.base
        places = set()
        for tick, (mspq,) in given.items():
            place = self.position(tick)
            if isinstance(self.tokenizer, Cells):
                start, end, _ = self.decoded_bar(place)
                place = start if place - start < end - place else end
            places.add(place)
            (found,) = said[ticks[bisect_right(ticks, place) - 1]]
            error = max(found / mspq, mspq / found) - 1
            if self.is_late(tick):
                self.seen["late_dropped"] += error > 0
                continue
            if says_tempos:
                self.shifts.append(self.apart(tick, place))
            self.seen["tempos_changed"] += error > 0
            self.seen["tempo_error_max"] = max(self.seen["tempo_error_max"], error)
        if said.keys() - places:
            self.wrong.append("a tempo where there is none")

    def compare_chords(self):
        said = self.decoded.chords
        ticks = [tick for tick, _ in said]
        asked = set()
        for tick, text in self.score.chords:
            place = self.position(tick)
            try:
                chord = parse_chord(text)
            except SymbolError:
                self.seen["chords_dropped"] += 1
                continue
            asked.add(place)
            if "Chord" in self.tokenizer.vocabulary.base:
                self.shifts.append(self.apart(tick, place))
            behind = bisect_right(ticks, place)
            if not behind or parse_chord(said[behind - 1].text) != chord:
                self.seen["chords_dropped"] += 1
            else:
                self.seen["chords_respelled"] += said[behind - 1].text != text
        if set(ticks) - asked:
            self.wrong.append("a chord where there is none")

    def compare_keys(self):
        given, said = self.score.key_signatures.tolist(), self.decoded.key_signatures.tolist()
        self.seen["key_signatures_dropped"] = max(0, len(given) - len(said))
        self.seen["key_signatures_added"] = max(0, len(said) - len(given))
        pairs = zip(given, said, strict=False)
        self.seen["key_signatures_changed"] = sum(one != other for one, other in pairs)


def covered(spans):
    """Return the times that spans cover, those that touch joined."""
    joined = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def disagreements(tokenizer, score, decoded=None):
    """Return in what the report is wrong about what comes back of a score, "" for nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decoded = decoded or tokenizer.decode(tokenizer.encode(score))
        report = dataclasses.asdict(tokenizer.loss(score))
    found = Comparison(tokenizer, score, decoded)
    wrong = list(found.wrong)
    for name, value in found.seen.items():
        if not math.isclose(report[name], value, rel_tol=1e-9, abs_tol=1e-12):
            wrong.append(f"{name}: the report says {report[name]}, and it is {value}")
    return "; ".join(wrong[:8])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=10**9, help="files to look at")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix in (".mid", ".midi"))
    checked = refused = failed = 0
    begin = time.perf_counter()
    for path in paths[: arguments.most]:
        try:
            score = Score.read(path)
        except ComposerError:
            refused += 1
            continue
        for number, tokenizer in enumerate(FORMATS):
            try:
                wrong = disagreements(tokenizer, score)
            except ComposerError as error:
                refused += 1
                print(f"{path.name}, {tokenizer.format}: {error}")
                continue
            checked += 1
            if wrong:
                failed += 1
                print(f"{path.relative_to(arguments.folder)}, format {number}: {wrong}")
    seconds = time.perf_counter() - begin
    print(f"{checked} checked, {refused} refused, {failed} wrong, {seconds:.0f} s")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
