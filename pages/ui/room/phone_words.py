"""What the page of the phones says; its script is ``server/phone.js``."""

from pages.ui.words.text import _, shown
from tlcore.recipes import race


def comma() -> str:
    """Return what stands between the names of a list in the reader's language."""
    return _("{first}, {second}").format(first="", second="")


def words() -> dict[str, str]:
    """Return the sentences of the phones' page in the reader's language."""
    return {
        "title": _("Join the room"),
        "noscript": _("This page needs JavaScript. Allow it and reload."),
        "code": _("Code on the wall"),
        "name": _("Nickname (optional)"),
        "join": _("Join"),
        "consent": _(
            "What you send appears on the wall, with your nickname if you give one. The host may keep drawings and "
            "pictures, without names, as examples to learn from. Nothing else about you is stored; the room is "
            "forgotten after a day."
        ),
        "draw": _("Draw a {label}"),
        "show": _("Show a {label} with your hand"),
        "sign": _("The sign for {label}"),
        "take": _("Take a picture of your hand"),
        "camera": _("Turn on the camera"),
        "snap": _("Send what the camera sees"),
        "shown": _("On the wall. Without transfer it reads: {before}. With transfer: {after}."),
        "unreadable": _("This picture cannot be read. Choose another one."),
        "no_camera": _("The camera cannot be used here. Take a picture instead."),
        "hint": _("Draw: {label}"),
        "teach": _("Draw an example of: {label}"),
        "which": _("What your drawing is an example of"),
        "taught": _("On the wall. Before it learned from your {label} the network read: {guess}."),
        "bet": _("Which one will win?"),
        "secret": _("Your bet is secret until the race begins."),
        "placed": _("Your bet: {lane}. You can change it until the race begins."),
        "begun": _("The race is on. Watch the wall."),
        "won": _("You have won: {best}."),
        "not_won": _("Not this time. You bet on {lane}; the winner is: {best}."),
        "best": _("The winner is: {best}."),
        "tie_won": _("A tie of {best}: you bet on one of them."),
        "tie_not_won": _("Not this time. You bet on {lane}; it is a tie of {best}."),
        "tie": _("A tie of {best}."),
        "over": _("The race is over"),
        "no_winner": _("The race ended without a result."),
        "comma": comma(),
        "free": _("The lab is yours"),
        "free_more": _("Draw, teach a network, freeze layers, train. What you start is yours alone."),
        "lab": _("Open the lab"),
        "pad": _("Draw for the wall: {label}"),
        "send": _("Send"),
        "sending": _("Sending …"),
        "blank": _("Draw first, then send."),
        "sent": _("On the wall. Before transfer: {before}. After transfer: {after}."),
        "sent_silent": _("On the wall."),
        "paused": _("The host has paused the room. It goes on in a moment."),
        "closed": _("The host has closed this room. Thank you for taking part."),
        "lost": _("Connection lost, trying again."),
        "you": _("You are {name}"),
        "nobody": _("You have no nickname"),
        "rename": _("Change"),
        "keep": _("Keep this name"),
        "room": _("Room {code}"),
    }


def lanes() -> dict[str, str]:
    """Return what each lane of a race is called in the reader's language."""
    return {name: shown(title) for name, title in race.TITLES.items()} | {"at_rest": shown(race.AT_REST)}
