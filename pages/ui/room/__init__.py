"""The room: the host's controls and the wall, and the words of the phones' page."""
