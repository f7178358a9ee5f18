"""One door for everything: what a person can do on the pages, the call of ``tlcore`` behind it, and its command.

``tests/pages/test_one_door.py`` walks it: each button of the pages stands here, each call and command is there, and
each command has its page. A new button takes a row.
"""

from typing import NamedTuple


class Action(NamedTuple):
    """One thing that a person can do.

    Attributes
    ----------
    file : of ``pages``
    key : of the button, as its code writes it, with * for what changes; of other widgets what it is, in brackets
    call : of ``tlcore``
    command : of the command line
    """

    file: str
    key: str
    call: str
    command: str


ACTIONS = (
    # -- trained
    Action("train.py", "start_ft", "training.fit", "train"),
    Action("train.py", "start_scratch", "recipes.scratch_control", "train"),
    Action("train.py", "start_fx", "heads.fit", "heads"),
    Action("train.py", "start_ways", "recipes.comparison.lanes", "compare"),
    Action("heads.py", "start_cmp", "jobs.compare_heads.CompareHeads.run", "heads"),
    Action("ui/runs/compare_heads.py", "repeat_heads", "spec.HeadSpec.repeated", "heads"),
    Action("ui/runs/contest.py", "repeat_*", "spec.FineTuneSpec.repeated", "train"),
    Action("race.py", "start_race", "recipes.race.lanes", "race"),
    Action("ui/runs/comparison.py", "race_*", "recipes.comparison.lanes", "race"),
    Action("ui/runs/advanced.py", "find_rate", "inspection.rates.range_test", "find-rate"),
    Action("break_it.py", "start_healthy", "recipes.break_it.healthy", "break-it"),
    Action("evidence.py", "start_example", "evidence.keras_example.run", "claims"),
    Action("ui/evidence/sweep.py", "start_sweep", "evidence.sweeps.run", "sweep"),
    Action("ui/evidence/sweep.py", "live_button()", "evidence.sweeps.run", "sweep"),
    Action("ui/evidence/sweep.py", "go_on_*", "evidence.sweeps.resumed", "sweep"),
    Action("evidence.py", "[the claims]", "evidence.claims.judge_all", "claims"),
    Action("ui/closer/new_data.py", "test_*", "jobs.evaluate.Evaluate.run", "evaluate"),
    # -- runs
    Action("runs.py", "[the list]", "store.Store.listing", "runs"),
    Action("runs.py", "[a run]", "store.Store.get", "runs show"),
    Action("runs.py", "delete", "store.Store.delete", "runs delete"),
    Action("runs.py", "undo_delete", "store.Store.restore", "runs restore"),
    Action("ui/runs/side_by_side.py", "[the runs side by side]", "evidence.side_by_side.side_by_side", "runs compare"),
    Action("ui/runs/settings_table.py", "[the name]", "store.Store.annotate", "runs name"),
    Action("ui/runs/settings_table.py", "[the note]", "store.Store.annotate", "runs note"),
    *(
        Action(file, key, "store.Store.request_stop", "runs stop")
        for file, key in (
            ("ui/runs/run.py", "stop_*"),
            ("ui/runs/lanes.py", "stop_*"),
            ("ui/runs/chip.py", "chip_stop"),
            ("ui/closer/new_data.py", "stop_*"),
        )
    ),
    Action("ui/runs/run.py", "go_on_*", "store.Store.go_on", "runs resume"),
    Action("ui/runs/again.py", "reproduce", "archives.compare", "reproduce"),
    Action("ui/runs/again.py", "start_again", "store.Store.create", "train"),
    Action("ui/runs/bring_in.py", "import", "archives.take", "import"),
    *(
        Action("ui/runs/downloads.py", key, "exports.offers", "export")
        for key in ("*download_*", "make_*", "made_*", "pack_*")
    ),
    Action("ui/teaching/taking.py", "[take it along]", "exports.portable.taught.of_examples", "teach"),
    Action("ui/runs/downloads.py", "report_of_today", "exports.report.session.written", "runs report"),
    Action("ui/evidence/sweep.py", "cells_*", "exports.cells_csv", "export"),
    # -- networks, heads, pictures
    Action("layers.py", "[the source]", "sources.offered", "sources"),
    Action("layers.py", "[the layers]", "features.freezing.Freezing", "describe"),
    Action("layers.py", "preset_*", "features.freezing.presets", "describe"),
    Action("layers.py", "[the boundary]", "prediction.what_if.WhatIf.ask", "what-if"),
    Action("ui/sources/own_model.py", "add_model", "sources.uploads.add", "sources add"),
    Action("ui/sources/own_model.py", "remove_model", "sources.uploads.remove", "sources remove"),
    Action("ui/sources/own_model.py", "undo_removal", "sources.uploads.remove", "sources remove"),
    Action("ui/runs/as_source.py", "as_source", "prediction.as_source.keep", "sources keep"),
    Action("ui/runs/as_source.py", "undo_source", "sources.uploads.remove", "sources remove"),
    Action("ui/inputs/own_head.py", "add_head", "prediction.own_heads.add", "heads"),
    Action("ui/inputs/own_head.py", "undo_head", "prediction.own_heads.remove", "heads"),
    Action("ui/inputs/own_head.py", "_line()", "prediction.own_heads.remove", "heads"),
    Action("train.py", "[the target]", "datasets.offered", "datasets"),
    Action("ui/sets/upload.py", "[the files]", "datasets.own_sets.look", "datasets report"),
    Action("ui/sets/report.py", "add_set", "datasets.own_sets.add", "datasets add"),
    Action("ui/sets/kept.py", "delete_*", "datasets.own_sets.remove", "datasets remove"),
    Action("ui/sets/kept.py", "undo_set", "datasets.own_sets.remove", "datasets remove"),
    Action("ui/sets/kept.py", "[the name]", "datasets.own_sets.rename", "datasets rename"),
    Action("ui/sets/kept.py", "[the ZIP]", "datasets.own_sets.write_zip", "datasets pack"),
    Action("ui/sets/cleaning.py", "clean_make_*", "datasets.own_sets.revise", "datasets revise"),
    # -- asked and looked into
    Action("draw.py", "[the pad, the camera, a file]", "prediction.predictor", "predict"),
    Action("draw.py", "try_sample", "datasets.samples", "predict"),
    Action("ui/inputs/many.py", "many_csv", "prediction.many.look_and_ask", "predict"),
    Action("ui/inputs/many.py", "many_again", "prediction.many.look_and_ask", "predict"),
    Action("ui/closer/inside.py", "why_now", "inspection.explanation.explain", "explain"),
    Action("ui/closer/evaluate.py", "[the closer look]", "evaluation.outputs.load", "look"),
    Action("ui/closer/curves.py", "curves_csv_*_*", "evaluation.curves.of_outputs", "look"),
    Action("ui/closer/open_heads.py", "[a head opened]", "inspection.svm.opened", "inside"),
    Action("ui/closer/feature_map.py", "[the map]", "inspection.maps.before_and_after", "map"),
    Action("how_it_works.py", "[the lesson]", "inspection.lesson.of_run", "lesson"),
    Action("ui/teaching/cards.py", "add_class", "teaching.examples.Examples.add_class", "teach"),
    Action("ui/teaching/showing.py", "add_files", "teaching.examples.Examples.add", "teach"),
    Action("ui/teaching/showing.py", "by_pad()", "teaching.examples.Examples.add", "teach"),
    # -- used from programs
    Action("ui/inputs/program.py", "make_token", "people.tokens.Tokens.make", "token make"),
    Action("ui/inputs/program.py", "[the tokens]", "people.tokens.Tokens.list", "token list"),
    Action("ui/inputs/program.py", "[use from a program]", "people.tokens.Tokens.list", "token"),
    Action("ui/inputs/program.py", "_line()", "people.tokens.Tokens.revoke", "token revoke"),
    Action("ui/runs/mlflow.py", "mlflow_*", "exports.mlflow.send", "runs send"),
    # -- rooms
    Action("ui/room/host.py", "open_room", "rooms.Rooms.open", "rooms open"),
    Action("ui/room/host.py", "[the rooms]", "rooms.Rooms.run_by", "rooms"),
    Action("ui/room/host.py", "room_teach", "rooms.Rooms.begin", "rooms set"),
    Action("ui/room/betting.py", "room_bet", "rooms.Rooms.begin", "rooms set"),
    Action("ui/room/betting.py", "room_race", "rooms.Rooms.begin", "rooms race"),
    Action("ui/room/host.py", "room_pause", "rooms.Rooms.pause", "rooms pause"),
    Action("ui/room/host.py", "[go on]", "rooms.Rooms.pause", "rooms resume"),
    Action("ui/room/host.py", "room_clear", "rooms.Rooms.clear", "rooms clear"),
    Action("ui/room/host.py", "room_close", "rooms.Rooms.close", "rooms close"),
    Action("ui/room/host.py", "room_save", "rooms.saving.save", "rooms save"),
)

# Buttons that change no more than what this browser shows, or its draft, which a command line gives in its flags.
ON_THE_PAGE_ALONE = {
    "leads elsewhere": (
        *("runs.py close", "runs.py whole", "runs.py open_train", "teach.py on_*", "train.py closer_*"),
        *("ui/closer/new_data.py open_test_*", "ui/frame.py next", "ui/inputs/hand_answers.py train_hands"),
        *("ui/runs/again.py repeated", "ui/runs/as_source.py to_layers", "ui/runs/as_source.py to_train"),
        *("ui/runs/chip.py chip_open", "ui/runs/comparison.py way_*", "ui/runs/run.py open_*"),
        *("ui/runs/side_by_side.py open_*", "ui/sets/cleaning.py clean_train_*", "ui/sets/kept.py layers_*"),
        *("ui/sets/kept.py train_*", "ui/sources/cards.py source_run", "ui/room/host.py room_other"),
    ),
    "sets the draft": (
        *("race.py one_phase", "ui/runs/advanced.py thaw_less", "ui/runs/advanced.py thaw_more"),
        *("ui/runs/advanced.py use_rate", "ui/runs/by_hand.py reset_*", "ui/runs/recorded.py instead_*"),
        *("ui/runs/settings.py enough_epochs", "ui/sources/cards.py use_*", "ui/inputs/hand_answers.py other_hands"),
        "ui/inputs/ways.py another_handful",
    ),
    "is played or shown step by step": (
        *("break_it.py guess_*_*", "how_it_works.py train_one", "teach.py begin", "ui/closer/inside.py inside_close"),
    ),
    "ends a look at files, or at what is shown once": (
        "ui/inputs/program.py hide_token",
        *("ui/inputs/many.py cancel_many", "ui/sets/report.py discard_set", "ui/sets/upload.py cancel_look"),
    ),
    "is of examples that one person keeps while teaching or drawing": (
        *("ui/inputs/kept.py delete_drawing", "ui/inputs/kept.py undelete_drawing", "ui/inputs/kept.py unkeep"),
        *("ui/sets/cleaning.py clean_forget_*", "ui/sets/cleaning.py clean_undo_*", "ui/teaching/cards.py start_over"),
        *("ui/teaching/cards.py teach_undo", "ui/teaching/cards.py delete_*_*", "ui/teaching/cards.py remove_*_*"),
    ),
    "is of presenting, the room's phones, or who is at this browser": (
        *("ui/frame.py log_in", "ui/frame.py log_out", "ui/presenting.py present", "ui/presenting.py present_end"),
        *("ui/presenting.py present_so", "ui/presenting.py _turn()"),
    ),
}
COMMANDS_ALONE = {
    "serve": "it starts the pages",
    "scheduler": "it starts the process that hands runs to other machines",
    "worker": "it starts a process on another machine that takes runs",
    "sources rebuild": "it makes the files that ship",
    "sources fetch": "it brings weights from the network, which a server does not do for whoever looks at it",
    "runs recover": "of a list of runs that no page can open",
}
