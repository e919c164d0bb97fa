"""A channel between two threads: bounded, ended from either side, and never waited for in vain."""

import threading
import time

import pytest

from playahead.io.channel import Channel
from playahead.io.errors import InputError


def taken(channel: Channel) -> list:
    return list(iter(lambda: channel.next(5), None))


def test_a_fast_producer_waits_and_everything_comes_in_order():
    most = []

    def produce(channel):
        for number in range(100):
            assert channel.put(number)
            most.append(len(channel))

    assert taken(Channel.fed_by(produce, size=3)) == list(range(100))
    assert max(most) <= 3


def test_a_reader_that_closes_frees_its_producer():
    results = []
    channel = Channel.fed_by(lambda channel: results.extend(channel.put(n) for n in range(3)), size=1)
    while not len(channel):
        time.sleep(0.001)
    channel.close(wait_s=5)
    assert results == [True, False, False]
    assert taken(channel) == [0], "what waits can still be taken"
    assert not channel.offer([1])


def test_all_or_none_are_offered_and_a_full_channel_can_be_condensed():
    channel = Channel(3)
    assert [channel.offer(items) for items in ([1, 2], [3, 4], [3])] == [True, False, True]
    for number in range(7):
        channel.put(number, condense=lambda waiting: [sum(waiting)])
    channel.end()
    assert sum(taken(channel)) == 1 + 2 + 3 + sum(range(7))


def test_an_end_wakes_a_reader_that_waits():
    channel = Channel(1)
    with pytest.raises(TimeoutError):
        channel.next(0.01)
    threading.Timer(0.05, channel.close).start()
    assert channel.next() is None


@pytest.mark.parametrize("death", [InputError("rows", "x"), OSError(5, "gone"), TypeError("x"), SystemExit(1)])
def test_an_error_of_the_producer_comes_after_its_items(death):
    def produce(channel):
        channel.put(1)
        raise death

    channel = Channel.fed_by(produce, size=5)
    assert channel.next(5) == 1
    for _ in range(2):
        with pytest.raises((InputError, OSError)) as caught:
            channel.next(5)
        assert caught.value is death or caught.value.__cause__ is death
