"""What the host sees: the button that opens a room, and the wall with what runs it."""

import streamlit as st

from pages.ui.components.wall import wall
from pages.ui.room import betting, phone_words
from pages.ui.session import room as session
from pages.ui.session import sets, state
from pages.ui.words.text import _, plain, tell
from tlcore.errors import LabError
from tlcore.rooms import DIGITS, Activity, counting, places, saving, shown, to_teach
from tlcore.store import Room


def opening() -> None:
    """Show the button that opens a room, and the way into one."""
    rooms, person = session.rooms(), state.person()
    if rooms.may_open(person):
        st.button(
            _("Open a room"),
            type="primary",
            icon=":material/meeting_room:",
            key="open_room",
            on_click=session.opened,
        )
        st.caption(_("Phones need no account and no app. A room is forgotten after a day."))
    else:
        st.info(
            _(
                "Only the host of this server can open a room. Are you the host? Open the host link that the server "
                "printed when it started, then come back."
            )
        )
    if person.host:
        everybody_opens(rooms.everybody_opens())
    st.link_button(_("Join with a code"), session.join_path(), icon=":material/login:")


def everybody_opens(now: bool) -> None:
    """Show the host's switch that lets everybody open rooms."""
    state.begin("everybody_opens", now)
    st.toggle(
        _("Let everybody on this server open rooms"),
        key="everybody_opens",
        on_change=lambda: session.do(
            session.rooms().let_everybody_open, state.person(), bool(state.get("everybody_opens"))
        ),
    )


def running(room: Room) -> None:
    """Show a room that is open: what the phones do, the wall, and the controls."""
    try:
        offered = session.offered_places()
    except LabError as error:
        offered = ()
        st.warning(tell(error))
    if room.closed is None:
        task(room)
        controls(room, offered)
    place = offered[0] if offered else ""
    if len(offered) > 1:
        place = state.get("room_place") if state.get("room_place") in offered else offered[0]
    address = f"{place}/join/{room.code}?k={room.key}" if place else ""
    current = Activity.of(room.activity)
    wall("wall", code=room.code, place=f"{place}/join" if place else "", qr=places.qr(address) if address else "")
    if current.kind == "bet":
        betting.race_of(room, current)
    if room.closed is not None:
        keep(room)
        st.button(_("Open a new room"), key="open_room", icon=":material/meeting_room:", on_click=session.opened)
    if others := session.others(room):
        codes = phone_words.comma().join(one.code for one in others)
        st.caption(_("Other open rooms: {codes}").format(codes=codes))
        st.button(
            _("Go to room {code}").format(code=others[0].code), key="room_other", on_click=go_to, args=(others[0],)
        )


def go_to(room: Room) -> None:
    state.put(room_id=room.id)


def close(room: Room) -> None:
    session.do(session.rooms().close, room)
    go_to(room)


def task(room: Room) -> None:
    """Let the host choose what everybody does."""
    activity = Activity.of(room.activity)
    titles = {
        "draw": _("Draw a digit"),
        "hands": _("Show a hand"),
        "teach": _("Teach together"),
        "bet": _("Bet on a race"),
        "free": _("Explore freely"),
    }
    with st.container(horizontal=True, vertical_alignment="bottom", key="room_task"):
        state.put(room_kind=activity.kind if state.get("room_kind") is None else state.get("room_kind"))
        st.segmented_control(
            _("What the phones do"),
            list(titles),
            format_func=titles.__getitem__,
            key="room_kind",
            required=True,
            wrap=True,
            width="content",
            on_change=lambda: choose(room),
        )
        {"draw": digit, "hands": digit, "teach": classes, "bet": betting.choice, "free": nothing}[
            state.get("room_kind")
        ](room, activity)


def choose(room: Room) -> None:
    """Begin what needs no further choice; what does begins with its own button."""
    if (kind := state.get("room_kind")) in ("draw", "hands", "free"):
        session.do(begin, room, Activity(kind))


def begin(room: Room, activity: Activity) -> None:
    """Ask everybody something new, and have loaded what will answer."""
    session.rooms().begin(room, activity)
    if activity.kind == "hands":
        shown.warm(state.lab().serving.predict)


def nothing(room: Room, activity: Activity) -> None:
    """There is nothing more to choose."""


def digit(room: Room, activity: Activity) -> None:
    """Let the host choose which digit everybody draws."""
    kind = state.get("room_kind")
    if activity.kind == kind:
        state.put(room_digit=activity.label)
    st.segmented_control(
        _("Everybody draws a") if kind == "draw" else _("Everybody shows a"),
        DIGITS,
        key="room_digit",
        required=True,
        wrap=True,
        width="content",
        on_change=lambda: session.do(begin, room, Activity(kind, state.get("room_digit"))),
    )


def classes(room: Room, activity: Activity) -> None:
    """Let the host name what the room teaches."""
    state.begin("room_classes", ", ".join(activity.classes) or _("heart, star, house"))
    st.text_input(_("Classes, with commas between"), key="room_classes", max_chars=300, width=320)
    st.button(_("Begin"), key="room_teach", type="primary", on_click=begin_teaching, args=(room,))


def begin_teaching(room: Room) -> None:
    session.do(lambda: session.rooms().begin(room, to_teach(state.get("room_classes") or "")))


def controls(room: Room, offered: tuple[str, ...]) -> None:
    """Show what the host does with the room."""
    rooms = session.rooms()
    with st.container(horizontal=True, vertical_alignment="center", key="room_controls"):
        words, icon = (_("Go on"), "play_arrow") if room.paused else (_("Pause"), "pause")
        st.button(
            words,
            key="room_pause",
            icon=f":material/{icon}:",
            on_click=session.do,
            args=(rooms.pause, room, not room.paused),
        )
        st.button(
            _("Clear the wall"),
            key="room_clear",
            icon=":material/delete_sweep:",
            on_click=session.do,
            args=(rooms.clear, room),
        )
        state.put(room_names=room.names)
        st.toggle(
            _("Show nicknames"),
            key="room_names",
            on_change=lambda: session.do(rooms.show_names, room, bool(state.get("room_names"))),
        )
        keep(room)
        with st.popover(_("Close the room"), icon=":material/close:"):
            st.write(_("Nobody can send any more. What was drawn is forgotten after a day."))
            st.button(_("Close it now"), key="room_close", type="primary", on_click=close, args=(room,))
    if len(offered) > 1:
        st.selectbox(_("Address that the phones open"), offered, key="room_place")
    elif not offered:
        st.warning(
            _(
                "Phones cannot reach this server: it listens on this machine alone. Start it with HOST=0.0.0.0, or "
                "name its outside address in TRANSFER_LAB_PUBLIC_URL."
            )
        )


@st.fragment(key="room_keep")
def keep(room: Room) -> None:
    """Offer what was drawn as a data set of the host's own."""
    opened = st.popover(_("Keep the drawings"), icon=":material/save:", key="room_keep_open", on_change="rerun")
    if not opened.open:
        return
    with opened:
        st.write(_("Makes a data set of what the walls of this room have shown, without names, for Train and Layers."))
        st.caption(_("Everybody has read this before joining: {words}").format(words=phone_words.words()["consent"]))
        kind = "photo" if Activity.of(room.activity).kind == "hands" else "image"
        counts = {name: len(items) for name, items in saving.collected(state.lab().store, room, kind).items()}
        st.write(
            phone_words.comma().join(f"{plain(name)}: {n}" for name, n in counts.items()) or _("Nothing is drawn yet.")
        )
        if gone := saving.n_gone(state.lab().store, room, kind):
            words = _("A room keeps its newest {most:,} drawings; {n:,} older ones were counted and are gone.")
            st.caption(words.format(most=counting.MOST_KEPT, n=gone))
        if st.button(_("Make the data set"), key="room_save", type="primary"):
            save(room, kind)


def save(room: Room, kind: str) -> None:
    """Make the data set, which takes some seconds, and say what can be done with it."""
    try:
        with st.spinner(_("Keeping the drawings …"), show_time=True):
            title = _("Room {code}").format(code=room.code)
            card = saving.save(state.lab().store, room, state.person().id, title, kind)
    except LabError as error:
        st.error(tell(error))
        return
    sets.use(card.name)
    st.success(_("{title} is kept, and chosen as the target of the next training.").format(title=plain(card.title)))
    st.page_link("train.py", label=_("Train on it"), icon=":material/play_arrow:")
