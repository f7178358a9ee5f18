"""A session that comes back watches no files, as one that begins does not."""

from functools import wraps

from streamlit import config
from streamlit.runtime.app_session import AppSession


def watch_no_files() -> None:
    """Let sessions watch files only where ``server.fileWatcherType`` says so.

    Streamlit looks at that when a session begins, not when its browser is back after a lost connection: from then on
    it looked up the files of all modules, on the loop that everybody waits for, after the page's next runs.
    """
    register = AppSession.register_file_watchers
    if hasattr(register, "__wrapped__"):
        return  # done before

    @wraps(register)
    def register_where_wanted(self: AppSession) -> None:
        if config.get_option("server.fileWatcherType") != "none":
            register(self)

    AppSession.register_file_watchers = register_where_wanted
