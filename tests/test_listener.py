"""A listener hears what a piece of work reports; without one nothing is said and nothing stops."""

import inspect

import pytest

from tlcore.spec import NOBODY, Hooks, Listener, Listeners

HOOKS = {name: hook for name, hook in vars(Listener).items() if not name.startswith("_")}


def arguments(name):
    """Return as many made-up values as a hook takes."""
    return [object() for _ in list(inspect.signature(HOOKS[name]).parameters)[1:]]


@pytest.mark.parametrize("name", HOOKS)
def test_nobody_hears_nothing_and_never_stops(name):
    assert not getattr(NOBODY, name)(*arguments(name))


@pytest.mark.parametrize("name", [name for name in HOOKS if name != "should_stop"])
def test_several_listeners_all_hear_everything_in_their_order(name):
    heard, given = [], arguments(name)
    both = Listeners(*(Hooks(**{name: lambda *values, i=i: heard.append((i, *values))}) for i in range(2)))
    getattr(both, name)(*given)
    assert heard == [(0, *given), (1, *given)]


def test_any_of_several_listeners_ends_the_work():
    assert not Listeners(NOBODY, Listener()).should_stop() and not Listeners().should_stop()
    assert Listeners(NOBODY, Hooks(should_stop=lambda: True)).should_stop()


def test_a_hook_that_no_listener_has_is_a_mistake():
    with pytest.raises(TypeError, match="no hook 'on_metrics'"):
        Hooks(on_metrics=print)
