"""``rooms``: list, open, set, race, close and save the rooms of a server; a running one shows the change at once."""

from argparse import Namespace
from typing import Any

from tlcore import jobs, sources
from tlcore.errors import SpecError
from tlcore.people import Person
from tlcore.recipes import race
from tlcore.rooms import DIGITS, Activity, Rooms, as_code, bets, saving, to_teach, wall
from tlcore.sentences import Sentence
from tlcore.store import Room, Store
from tlcore.translation import _, shown

from . import console, local_run
from .flags import Parser, choice, several
from .options import add_command, add_json, add_word
from .training_lines import add_training

HOST = Person("", host=True)  # who is at the command line may do what the host may
CODE = Sentence("the room's code")


def rooms(commands: Any) -> None:
    """Add the lines of these commands."""
    words = _("list the rooms of this server, or do something with one")
    examples = ("rooms", "rooms open --draw 7", "rooms set KX7WP --bet nothing,scratch", "rooms race KX7WP")
    listed = add_command(commands, "rooms", list_rooms, words, *examples)
    add_json(listed)
    actions = listed.add_subparsers(metavar="ACTION")
    added = add_command(actions, "open", open_room, _("open a room; its page shows the wall"), "rooms open --draw 7")
    _add_activity(added)
    add_json(added)
    added = add_command(
        actions, "set", set_room, _("ask everybody something new"), "rooms set KX7WP --teach heart,star"
    )
    added.add_argument("code", metavar="CODE", help=shown(CODE))
    _add_activity(added)
    for name, do, words in (
        ("pause", pause_room, _("let nothing arrive for a while")),
        ("resume", resume_room, _("go on after a pause")),
        ("clear", clear_room, _("take everything of this round off the wall")),
        ("close", close_room, _("let nobody join or send any more; the room is forgotten after a day")),
    ):
        added = add_command(actions, name, do, words, f"rooms {name} KX7WP")
        added.add_argument("code", metavar="CODE", help=shown(CODE))
    words = _("close the bets and start the race; the flags are those of train")
    added = add_command(actions, "race", race_room, words, "rooms race KX7WP --per-class 5")
    added.add_argument("code", metavar="CODE", help=shown(CODE))
    add_training(added)
    add_json(added)
    added = add_command(
        actions, "save", save_room, _("keep the drawings as a data set"), "rooms save KX7WP --title room"
    )
    added.add_argument("code", metavar="CODE", help=shown(CODE))
    added.add_argument("--title", default="", help=_("what it is called; default: Room and its code"))


def _add_activity(added: Parser) -> None:
    add_word(added, "--draw", "digit", DIGITS, words=_("everybody draws it"))
    add_word(added, "--show", "digit", DIGITS, words=_("everybody shows it with a hand, to the phone's camera"))
    added.add_argument("--teach", metavar="NAME,NAME", help=_("classes of which everybody draws examples"))
    words = _("everybody bets on the best of these lanes: {names}").format(names=", ".join(race.LANES))
    added.add_argument("--bet", type=several(choice("lane", race.LANES)), metavar="NAME,NAME", help=words)


def _activity(options: Namespace) -> Activity:
    given = [name for name in ("draw", "show", "teach", "bet") if getattr(options, name) is not None]
    if len(given) > 1:
        flags = f"--{given[0]} or --{given[1]}"
        raise SpecError("A room does one thing at a time. Give {flags}, not both.", flags=flags)
    if options.teach is not None:
        return to_teach(options.teach)
    if options.bet is not None:
        return Activity("bet", "", lanes=tuple(dict.fromkeys(options.bet)))
    if options.show is not None:
        return Activity("hands", options.show)
    return Activity("draw", options.draw or Activity.label)


def _values(store: Store, room: Room) -> dict[str, Any]:
    kept = wall.on_wall(store, room, 0, 0)
    return {name: kept[name] for name in ("code", "activity", "here", "joined", "paused", "closed", "scores")} | {
        "path": f"/join/{room.code}?k={room.key}"
    }


def list_rooms(options: Namespace) -> int:
    store = Store(options.home)
    listed = [_values(store, room) for room in Rooms(store).run_by(HOST)]
    rows = [
        [
            room["code"],
            _("closed") if room["closed"] else _("paused") if room["paused"] else _("open"),
            room["activity"]["kind"],
            room["activity"]["label"] or ", ".join(room["activity"]["classes"] or room["activity"]["lanes"]) or None,
            str(room["here"]),
            str(room["joined"]),
            room["path"],
        ]
        for room in listed
    ]
    head = [_("code"), _("state"), _("does"), _("what"), _("here"), _("joined"), _("address of the phones")]
    return console.show(options, listed, console.table(head, rows) if rows else _("No rooms."))


def open_room(options: Namespace) -> int:
    store, activity = Store(options.home), _activity(options)
    rooms = Rooms(store)
    room = rooms.open(HOST)
    rooms.begin(room, activity)
    values = _values(store, rooms.of_host(HOST, room.code))
    text = _("Room {code} is open. Phones open {path} of the server.").format(code=room.code, path=values["path"])
    return console.show(options, values, text)


def set_room(options: Namespace) -> int:
    rooms = Rooms(Store(options.home))
    rooms.begin(_room(rooms, options), _activity(options))
    return console.OK


def pause_room(options: Namespace) -> int:
    rooms = Rooms(Store(options.home))
    rooms.pause(_room(rooms, options), True)
    return console.OK


def resume_room(options: Namespace) -> int:
    rooms = Rooms(Store(options.home))
    rooms.pause(_room(rooms, options), False)
    return console.OK


def clear_room(options: Namespace) -> int:
    rooms = Rooms(Store(options.home))
    rooms.clear(_room(rooms, options))
    return console.OK


def close_room(options: Namespace) -> int:
    rooms = Rooms(Store(options.home))
    rooms.close(_room(rooms, options))
    console.say(_("Room {code} is closed.").format(code=as_code(options.code)))
    return console.OK


def race_room(options: Namespace) -> int:
    """Close the bets of a room and start its race; the server on the same data folder trains the lanes."""
    store = Store(options.home)
    room = _room(Rooms(store), options)
    activity = Activity.of(room.activity)
    if room.closed is not None or activity.kind != "bet" or activity.runs:
        raise SpecError("Room {code} takes no bets just now. 'rooms set {code} --bet' does.", code=room.code)
    if options.recipe == "article":
        raise SpecError("The article's recipe transfers nothing, so it cannot be raced. Choose another recipe.")
    draft = local_run.fine_tune_spec(options)
    specs = race.lanes(draft, sources.info(draft.source).layers, activity.lanes)
    for spec in specs.values():
        jobs.check(spec)
    runs = {}
    for name in race.start_order(list(specs), draft.seed):
        title = _("Race: {lane}").format(lane=shown(race.title(name, specs[name].source)))
        runs[name] = store.create(specs[name], name=options.name or title).id
    run_ids = {lane: runs[lane] for lane in activity.lanes}
    bets.begin(store, room, list(run_ids.values()))
    listed = [[lane, run_id] for lane, run_id in run_ids.items()]
    words = _("The race of room {code} has begun. The server of this data folder trains the lanes.")
    text = f"{words.format(code=room.code)}\n{console.table([_('lane'), _('run')], listed)}"
    return console.show(options, {"code": room.code, "lanes": run_ids}, text)


def save_room(options: Namespace) -> int:
    store = Store(options.home)
    room = _room(Rooms(store), options)
    card = saving.save(store, room, HOST.id, options.title or _("Room {code}").format(code=room.code))
    words = _("{title}: {n} drawings of {classes}. Train with --target {name}.")
    classes = ", ".join(card.class_names)
    console.say(words.format(title=card.title, n=card.n, classes=classes, name=card.name))
    return console.OK


def _room(rooms: Rooms, options: Namespace) -> Room:
    code = as_code(options.code)
    for room in rooms.run_by(HOST):
        if room.code == code:
            return room
    raise SpecError("There is no room {code}. 'rooms' lists them.", code=code or "?")
