"""Whose turn it is, that nothing is computed twice, and that what is kept has a bound."""

from collections import Counter
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from threading import current_thread
from time import sleep

import numpy as np
import pytest

from optviz.nn import Network
from optviz.training import Loader, Split, Training, load
from optviz.training import scheduler as scheduling
from optviz.training.executors import SerialExecutor, ThreadExecutor
from optviz.training.scheduler import INTEREST, SLICE, Scheduler
from optviz.training.tickets import Ticket, size_of
from optviz.tuning import Search, SearchJob, search
from optviz.ui.cache import bytes_of
from optviz.ui.job_runner import pause
from tests import memo
from tests.jobs import Counting


class ByHand(Executor):
    """Two workers that end a slice when the test says so."""

    slots = 2

    def __init__(self):
        self.waiting = []

    def submit(self, fn, /, *args):
        if fn.__name__ == "begin":
            return SerialExecutor().submit(fn, *args)
        self.waiting.append((future := Future(), fn, args))
        return future

    def end_one(self):
        """End the oldest slice; the key of its job."""
        future, fn, args = self.waiting.pop(0)
        future.set_result(fn(*args))
        return getattr(fn.__self__, "key", None)

    def under_way(self):
        return [fn.__self__.key for _, fn, _ in self.waiting]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def hands():
    return ByHand()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scheduler(hands, clock):
    return Scheduler(lambda: hands, max_bytes=10_000, clock=clock)


def tickets(*names, **more):
    return [Ticket(Counting(name, **more)) for name in names]


def test_two_visitors_want_the_same_and_it_is_computed_once(tmp_path):
    notes = tmp_path / "notes"
    scheduler = Scheduler(ThreadExecutor)
    wanted = tickets("a", "b", length=20, notes=str(notes), seconds=0.001)
    while scheduler.state(wanted[0])[0] < 20 or scheduler.state(wanted[1])[0] < 20:
        for visitor in ("Ada", "Grace", "Emmy"):
            scheduler.watch(visitor, wanted)
    scheduler.shutdown()
    assert len(notes.read_bytes()) == 2 * 20


def test_a_visitor_with_one_job_has_every_second_slice_beside_one_with_twelve(scheduler, hands):
    scheduler.watch("Ada", tickets(*"abcdefghijkl", length=50))
    scheduler.watch("Grace", tickets("z", length=50))
    served = [hands.end_one() for _ in range(25)]
    assert Counter(served)["z"] == pytest.approx(25 / 2, abs=1)
    assert all("z" in served[i : i + 3] for i in range(1, 22)), "a turn in every round"
    others = Counter(served)
    del others["z"]
    assert len(others) == 12, "the farthest behind is next"
    assert set(others.values()) <= {1, 2}


def test_of_a_visitor_s_jobs_the_one_with_the_smallest_share_done_is_next(scheduler, hands):
    [long], [short], [nothing] = (
        tickets(name, length=n) for name, n in (("a", 6), ("b", 2), ("c", 0))
    )
    hands.slots = 1
    scheduler.watch("Ada", [short, nothing, long])
    assert [hands.end_one() for _ in range(8)] == [*"baaabaaa"]
    assert not hands.waiting


def test_who_waits_is_told_how_many_are_before_them(scheduler, hands):
    for visitor in "ABCD":
        scheduler.watch(visitor, tickets(visitor, length=9))
    assert hands.under_way() == ["A", "B"]
    assert [scheduler.queue_position(visitor) for visitor in "ABCD?"] == [0, 0, 2, 2, 0]
    assert scheduler.load == (2, 2), "jobs that run, and that wait"
    assert hands.end_one() == "A"
    assert hands.under_way() == ["B", "C"]
    assert [scheduler.queue_position(visitor) for visitor in "ABCD"] == [3, 0, 0, 2]


def test_a_page_that_nobody_looks_at_pauses_its_jobs(scheduler, hands, clock):
    [job] = wanted = tickets("a", length=9)
    scheduler.watch("Ada", wanted)
    clock.now = INTEREST - 1
    scheduler.watch("Ada", wanted)  # a picture later
    clock.now = 2 * INTEREST - 2
    hands.end_one()
    assert hands.under_way() == ["a"]
    clock.now = 2 * INTEREST
    hands.end_one()
    assert hands.under_way() == []
    assert scheduler.state(job)[0] == 2, "what was done is there"
    scheduler.watch("Ada", wanted)
    assert hands.under_way() == ["a"]


def test_pictures_of_trainings_take_a_share_of_the_server_s_time_for_all_who_watch(
    scheduler, clock
):
    for visitor in "ABCD":
        scheduler.watch(visitor, tickets("a", length=9))
    scheduler.leave("A")
    clock.now = INTEREST - 1
    scheduler.watch("B", tickets("a", length=9))
    assert scheduler.visitors == 3
    clock.now = INTEREST + 1
    assert scheduler.visitors == 1, "the others look elsewhere"
    assert pause(0.0075, 10) == pytest.approx(0.5)
    assert pause(0.005, 1) < 0.1, "more than ten pictures a second"
    assert pause(0.1, 40) < INTEREST, "a wish holds until it is renewed"


def test_one_visitor_s_stop_is_not_the_other_s(scheduler, hands):
    wanted = tickets("a", length=9)
    scheduler.watch("Ada", wanted)
    scheduler.watch("Grace", wanted)
    scheduler.leave("Ada")
    hands.end_one()
    assert hands.under_way() == ["a"]
    scheduler.leave("Grace")
    hands.end_one()
    assert hands.under_way() == []


def test_what_a_visitor_begins_anew_is_their_own_and_a_late_slice_does_not_count(scheduler, hands):
    [shared], [own] = tickets("a", length=9), [Ticket(Counting("a", 9), "Ada")]
    scheduler.watch("Grace", [shared])
    hands.end_one()
    scheduler.watch("Ada", [own])
    assert (scheduler.state(shared)[0], scheduler.state(own)[0]) == (1, 0)
    scheduler.leave("Grace")
    while scheduler.state(own)[0] < 3:
        hands.end_one()
    scheduler.forget(own)
    scheduler.watch("Ada", [own])
    hands.end_one()
    assert scheduler.state(own)[0] == 0


def test_a_longer_job_goes_on_from_a_shorter_one_which_keeps_its_own(scheduler, hands):
    [short], [long] = tickets("a", length=3), tickets("a", length=5)
    scheduler.watch("Ada", [short])
    for _ in range(3):
        hands.end_one()
    assert scheduler.state(long)[0] == 3
    scheduler.watch("Ada", [long])
    for _ in range(2):
        hands.end_one()
    assert (scheduler.state(short)[0], scheduler.state(long)[0]) == (3, 5)
    assert hands.under_way() == []


def test_what_is_kept_has_a_bound_in_bytes_and_the_least_recently_used_goes(scheduler):
    old, new, *_others = many = tickets(*"abcdefghij", weight=2000)
    for ticket in many[:4]:
        scheduler.state(ticket)
    scheduler.watch("Ada", [new])  # somebody waits for it
    scheduler.state(old)
    for ticket in many[4:]:
        scheduler.state(ticket)
        scheduler.state(old)
        assert scheduler.size <= 10_000
    there = [ticket.job.key for ticket in many if scheduler.peek(ticket.key)]
    assert there == ["a", "b", "i", "j"]


def test_beginnings_of_values_that_a_knob_has_passed_push_out_nothing_that_was_trained(
    hands, clock, monkeypatch
):
    monkeypatch.setattr(scheduling, "MAX_UNTRAINED", 5000)
    scheduler = Scheduler(lambda: hands, max_bytes=10_000, clock=clock)
    [trained] = tickets("trained", weight=2000)
    scheduler.watch("Ada", [trained])
    hands.end_one()
    scheduler.leave("Ada")
    while hands.waiting:
        hands.end_one()
    for ticket in tickets(*"abcdefghij", weight=2000):
        scheduler.state(ticket)
        assert scheduler.size <= 2000 + 5000 + 2 * 2000  # the last one that was asked for stays
    assert scheduler.peek(trained.key)[0] > 0


def test_what_one_page_shows_is_begun_once_however_large(hands, clock, monkeypatch):
    monkeypatch.setattr(scheduling, "MAX_UNTRAINED", 5000)
    scheduler = Scheduler(lambda: hands, clock=clock)
    page, another = tickets(*"abcde", weight=2000), tickets(*"fghij", weight=2000)
    begun = scheduler.states("Ada", page)
    scheduler.states("Ada", page[:1])  # a part of it
    assert list(map(id, scheduler.states("Ada", page))) == list(map(id, begun))
    for _ in range(2):
        scheduler.states("Ada", another)
    assert scheduler.size <= 6 * 2100 + 5000, "what is looked at no more goes"
    clock.now += scheduling.INTEREST
    scheduler.states("Bob", page[:1])
    assert scheduler.size <= 5000 + 2 * 2100, "nor does it stay for ever"


def test_what_a_job_raises_is_told_to_all_and_it_can_be_begun_again(tmp_path):
    notes = tmp_path / "notes"
    scheduler = Scheduler(SerialExecutor)
    [wanted] = tickets("a", notes=str(notes), fails=1)
    for _ in range(3):
        scheduler.watch("Ada", [wanted])
    assert scheduler.error(wanted) == "the data do not fit."
    assert scheduler.state(wanted)[0] == 1, "what was done is there"
    assert len(notes.read_bytes()) == 2, "it is not tried for ever"
    scheduler.leave("Ada")
    scheduler.watch("Ada", [wanted])
    assert len(notes.read_bytes()) == 3
    [mended] = [Ticket(replace(wanted.job, key="b", fails=-1))]
    scheduler.watch("Ada", [mended])
    assert (scheduler.error(mended), scheduler.state(mended)[0]) == ("", 1)


def test_an_executor_that_does_not_start_is_said():
    def start():
        raise OSError("no scheduler at tcp://nowhere:1")

    scheduler, [wanted] = Scheduler(start), tickets("a")
    scheduler.watch("Ada", [wanted])
    assert scheduler.error(wanted) == "no scheduler at tcp://nowhere:1"


def test_an_executor_that_is_lost_is_followed_by_another():
    class Lost(ByHand):
        slots, lost = 0, True

        def submit(self, fn, /, *args):
            (future := Future()).cancel()
            return future

    executors = [Lost(), SerialExecutor()]
    scheduler, [first, later] = Scheduler(lambda: executors.pop(0)), tickets("a", "b", length=1)
    assert scheduler.state(first)[0] == 0, "begun here"
    for ticket in (first, later):
        scheduler.watch("Ada", [ticket])
        scheduler.dispatch()
    assert executors == []
    assert scheduler.state(later)[0] == 1


def test_a_beginning_is_computed_once_and_not_by_who_asks():
    """Four visitors ask at once, in a process of four threads; one of them begins."""
    begun = []

    class Slow(Counting):
        def begin(self):
            begun.append(current_thread().name)
            sleep(0.05)
            return super().begin()

    scheduler, ticket = Scheduler(ThreadExecutor), Ticket(Slow("a"))
    with ThreadPoolExecutor(4, "visitor") as visitors:
        states = list(visitors.map(lambda _: scheduler.state(ticket), range(4)))
    scheduler.shutdown()
    assert states == [(0, b"")] * 4
    assert [name.startswith("optviz") for name in begun] == [True]


def test_a_shutdown_while_slices_are_handed_out_ends_them_quietly():
    class Ending(Scheduler):
        def _submit(self, *args):
            self.shutdown()
            super()._submit(*args)

    scheduler = Ending(ThreadExecutor)
    scheduler.watch("Ada", tickets("a", length=9))
    assert scheduler.load == (0, 0)


class Proposed(SearchJob):
    """A search whose trials are there already."""

    def begin(self):
        return search._propose(super().begin())


def test_a_search_is_at_both_workers_until_another_visitor_comes(scheduler, hands, monkeypatch):
    monkeypatch.setattr(Scheduler, "_slice", lambda *_: np.inf)  # a slice ends what it is given
    spec = Search(network=Network((64, 4, 10)), split=Split(100), trials=4, iterations=6, batch=20)
    ticket = Ticket(Proposed(spec, Loader("parts", spec.base)))
    scheduler.watch("Ada", [ticket])
    assert [fn.__self__.batch.trials for _, fn, _ in hands.waiting] == [(0, 1), (2, 3)]
    scheduler.watch("Grace", tickets("a", length=1))
    hands.end_one()
    assert hands.waiting[1][1].__self__.key == "a"
    assert scheduler.state(ticket).iterations.tolist() == [6, 6, 0, 0]
    while hands.waiting:
        hands.end_one()
    found, bare = scheduler.state(ticket), ticket.job.advance(ticket.job.begin(), np.inf)
    assert found.done
    np.testing.assert_array_equal(found.accuracy, bare.accuracy)
    np.testing.assert_array_equal(found.winner.params, bare.winner.params)


def test_a_visitor_alone_has_short_slices(hands):
    scheduler, [a, b] = Scheduler(lambda: hands), tickets("a", "b", length=9)
    scheduler.watch("Ada", [a])
    alone = hands.waiting[0][2][1]
    scheduler.watch("Grace", [b])
    assert alone < hands.waiting[1][2][1] == SLICE


def test_workers_give_way_to_a_class_but_not_to_a_few(scheduler, hands):
    asked = []
    hands.lower_priority = lambda: asked.append(scheduler.visitors)
    for visitor in "ABCDEF":
        scheduler.watch(visitor, tickets(visitor))
    assert asked == [6]


def test_a_state_is_counted_with_all_the_memory_that_it_takes():
    training = Training(Network((64, 100, 10)), iterations=60, snapshot_every=20, seeds=(0, 1))
    state = memo.trained(training, load(training))
    assert len(state.snapshots) == 4
    assert size_of(state) == pytest.approx(bytes_of(state), rel=0.1)
