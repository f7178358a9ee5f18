"""Who comes back after a lost connection costs the server no look at all its files."""

from types import SimpleNamespace

import pytest
from streamlit import config
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from server.watching import watch_no_files


@pytest.fixture
def registered(monkeypatch):
    """Who has registered watchers, by Streamlit's own way."""
    found = []
    monkeypatch.setattr(AppSession, "register_file_watchers", lambda session: found.append(session))
    watch_no_files()
    return found


@pytest.mark.parametrize(("kind", "n"), [("none", 0), ("auto", 1)])
def test_a_session_that_comes_back_watches_files_only_where_files_are_watched(registered, monkeypatch, kind, n):
    monkeypatch.setattr(config, "get_option", {"server.fileWatcherType": kind}.get)
    came_back = SimpleNamespace(id="a", matches_user_info=lambda user: True)
    came_back.register_file_watchers = lambda: AppSession.register_file_watchers(came_back)
    manager = WebsocketSessionManager(MemorySessionStorage(), None, None, None)
    manager._session_storage.save(SessionInfo(None, came_back))
    assert manager.connect_session(None, None, {}, existing_session_id="a") == "a"
    assert len(registered) == n


def test_twice_is_once(registered):
    once = AppSession.register_file_watchers
    watch_no_files()
    assert AppSession.register_file_watchers is once
