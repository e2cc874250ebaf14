"""Reviews share one process's garbage collector."""

import gc
import threading

from bot.review import review
from tests.checks.drizzle_samples import change


def test_the_collector_is_as_it_was_after_reviews_at_once() -> None:
    """One that begins while another runs, and ends after it, leaves nothing of its own behind."""
    before = gc.get_threshold()
    held = change({"a.txt": "1"}, {"a.txt": "2"})
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()
    during: list[tuple[int, int, int]] = []

    def first(_: str) -> None:
        first_in.set()
        second_in.wait(10)

    def second(_: str) -> None:
        second_in.set()
        first_out.wait(10)
        during.append(gc.get_threshold())

    one = threading.Thread(target=lambda: review(held, provider=None, say=first))
    other = threading.Thread(target=lambda: review(held, provider=None, say=second))
    one.start()
    assert first_in.wait(10)
    other.start()
    one.join(10)
    first_out.set()
    other.join(10)
    assert during[0] != before
    assert gc.get_threshold() == before
