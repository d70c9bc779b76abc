from composer.generate.repeats import RepeatTracker

# Ids from 10 on are content, from 90 on dynamics and controls; 1 and 2 head cells, 0 a bar.
SAID = [0, 1, 10, 91, 11, 12, 13, 14, 2, 20, 1, 0, 1, 10, 11, 12, 13, 0, 1]


def following(*heard, said=SAID):
    copies = RepeatTracker(said, after=0, content=10, passed_over={*range(90, 100)})
    for index in heard:
        copies.accept(index)
    return copies.next_ids()


def test_a_copy_goes_on_as_the_bars_before_did():
    assert following(10, 11, 12, 13) == {14, 0}
    assert following(10, 11, 12, 13, 14) == {0}


def test_what_is_shorter_than_a_note_or_differs_is_no_copy():
    assert following(10, 11) == set()
    assert following(10, 11, 12, 15) == set()
    assert following(10, 11, 12, 13, 14, 15) == set()
    assert following(20, 21, 22, 23) == set()


def test_how_loud_it_is_makes_no_difference():
    assert following(10, 92, 11, 93, 12) == {13}
    assert following(10, 92, 11, 93) == set()


def test_cells_are_those_of_the_part_whatever_their_controls():
    said = [0, 1, 95, 10, 11, 12, 13, 2, 96, 10, 11, 12, 20, 0, 1, 10, 11, 12, 14, 0]
    for heading in ([1, 96], [1, 95, 96], [1]):
        assert following(10, 11, 12, said=[*said, *heading]) == {13, 14}
    assert following(10, 11, 12, said=[*said, 2, 95]) == {20}
