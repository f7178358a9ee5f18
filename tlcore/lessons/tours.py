"""A guided tour of each page: at most five stops, each at something on the page, in the order of use."""

from dataclasses import dataclass

from tlcore.sentences import Sentence

MOST_STOPS = 5


@dataclass(frozen=True)
class Stop:
    """One stop: the key of the widget or place that it is about, what that is called, and what it is for."""

    at: str
    title: Sentence
    text: Sentence


# By the page's name; a page without a tour offers none.
TOURS: dict[str, tuple[Stop, ...]] = {
    "home": (
        Stop(
            "pad",
            Sentence("Draw here"),
            Sentence("Draw a digit with a finger, a pen or the mouse. A 7 is a good start."),
        ),
        Stop(
            "three",
            Sentence("Three answers"),
            Sentence("The same network before transfer and after it, and one that started from nothing."),
        ),
        Stop("meant", Sentence("Say what you drew"), Sentence("Then each answer says whether it is right.")),
        Stop(
            "glance",
            Sentence("What transfer saves"),
            Sentence("How many examples of each digit either way needs for the same accuracy."),
        ),
    ),
    "teach": (
        Stop(
            "teach_top",
            Sentence("Camera or pad"),
            Sentence("Show photographs to the camera, or draw. Each keeps classes of its own."),
        ),
        Stop(
            "teach_photo",
            Sentence("Record examples"),
            Sentence("Hold a class's button: about five examples a second. The answer follows at once."),
        ),
        Stop(
            "teach_score_at",
            Sentence("How well it does"),
            Sentence("Each example is asked of a head that has not seen it, so the number is an honest one."),
        ),
        Stop("add_class", Sentence("More classes"), Sentence("Add one, name it, and show it some examples.")),
    ),
    "layers": (
        Stop(
            "presets",
            Sentence("Usual choices"),
            Sentence("Each freezes a part of the network. The marked one holds now."),
        ),
        Stop(
            "picker",
            Sentence("The network"),
            Sentence("Drag the boundary, flip a layer's switch, or click a layer to look inside it."),
        ),
        Stop(
            "will_train",
            Sentence("What that costs"),
            Sentence("How many weights train, and how much compute that saves."),
        ),
        Stop(
            "source_cards",
            Sentence("Where it starts from"),
            Sentence("Another source network, with pictures of what it learned from."),
        ),
    ),
    "train": (
        Stop(
            "labels",
            Sentence("How many examples"),
            Sentence("The number of labelled images of each class. With few of them transfer helps most."),
        ),
        Stop(
            "frozen",
            Sentence("What stays frozen"),
            Sentence("Chosen on the page Layers. The rest of the network trains."),
        ),
        Stop("ways", Sentence("Which ways compete"), Sentence("All learn from the same images with the same seed.")),
        Stop(
            "start_ways",
            Sentence("Start"),
            Sentence("It takes some seconds. You can go to other pages meanwhile: it goes on."),
        ),
        Stop(
            "verdict",
            Sentence("The verdict"),
            Sentence("Until yours is there you see a recorded one. Replay under it shows how it came about."),
        ),
    ),
    "heads": (
        Stop("layer", Sentence("Features of which layer"), Sentence("Each image becomes what this layer makes of it.")),
        Stop(
            "compared",
            Sentence("Which classifiers"),
            Sentence("Every one learns from the same rows, seed by seed."),
        ),
        Stop(
            "start_cmp", Sentence("Start"), Sentence("Each head is fitted on features and on raw pixels, the control.")
        ),
        Stop(
            "verdict_heads",
            Sentence("The finding"),
            Sentence("Which heads tie, and what the features add to raw pixels."),
        ),
    ),
    "draw": (
        Stop(
            "way",
            Sentence("Ways to ask"),
            Sentence("Draw, pick a sample, upload a picture, or use the keyboard alone."),
        ),
        Stop("answer", Sentence("One large answer"), Sentence("From the model that is chosen below it.")),
        Stop(
            "answer_model",
            Sentence("Another model"),
            Sentence("Every run that you have finished is here, and every head."),
        ),
        Stop("go_on_from_there", Sentence("No idea what to draw?"), Sentence("A sample digit is answered at once.")),
    ),
    "runs": (
        Stop(
            "glance_comparison", Sentence("The last verdict"), Sentence("Of your newest comparison, or a recorded one.")
        ),
        Stop(
            "runs_table",
            Sentence("Everything you trained"),
            Sentence("A click on a row opens it. Tick two or more to see them side by side."),
        ),
    ),
    "evidence": (
        Stop(
            "saving_at",
            Sentence("Read it elsewhere"),
            Sentence("The number of labels at which the saving is read from the curve."),
        ),
        Stop(
            "start_savings",
            Sentence("Measure it yourself"),
            Sentence("The same study with fewer seeds on this server. It says before how long that takes."),
        ),
    ),
    "race": (
        Stop("race_lanes", Sentence("The lanes"), Sentence("Two to four settings that differ in one thing.")),
        Stop("start_race", Sentence("Start"), Sentence("All lanes learn from the same images with the same seed.")),
        Stop(
            "finish",
            Sentence("How it ended"),
            Sentence("A recorded race stands here until you have run your own."),
        ),
        Stop(
            "film_recorded",
            Sentence("Inside each lane"),
            Sentence("Move the slider through the epochs: how far layers drift, and what is forgotten."),
        ),
    ),
    "how_it_works": (
        Stop("lesson_run", Sentence("Whose numbers"), Sentence("All numbers on this page are those of one real run.")),
        Stop("lesson_rate", Sentence("The learning rate"), Sentence("How far a step goes. Try one that is too large.")),
        Stop("lesson_walk", Sentence("Take the steps"), Sentence("Downhill on this network's own loss.")),
        Stop(
            "lesson_frozen",
            Sentence("What freezing does"),
            Sentence("A frozen layer has a gradient, and does not move."),
        ),
    ),
    "break_it": (
        Stop(
            "start_healthy",
            Sentence("First without a mistake"),
            Sentence("The healthy twin: every broken run is held against it."),
        ),
        Stop(
            "card_freeze_too_deep",
            Sentence("A mistake"),
            Sentence("Guess what it does. Your guess starts the run, and then you see whether you were right."),
        ),
    ),
    "data": (
        Stop(
            "file_drop",
            Sentence("Bring pictures"),
            Sentence("A ZIP or a folder with one folder for each class. You see a report before anything is kept."),
        ),
        Stop(
            "next",
            Sentence("Then train"),
            Sentence("A set that you keep is a target on Layers and Train. Only you and the host see it."),
        ),
    ),
}
