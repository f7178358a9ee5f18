"""The lesson plans that ship: five minutes of a talk, half an hour, and an hour and a half with hands on."""

from dataclasses import replace

from tlcore.sentences import Sentence

from .plan import Plan, Step

_RECORDED = Sentence(
    "If the run has to wait or fails: press Show the recorded one, and there Replay. It is labelled as recorded."
)

DRAW_A_SEVEN = Step(
    2,
    "home",
    Sentence("Three answers to one 7"),
    Sentence("Draw a 7 on the pad. Then press 7 below the answers."),
    Sentence(
        "The first network has only ever seen 0 to 4, so it cannot say 7, however clear your 7 is. The second is the "
        "same network after five examples of each digit. The third saw the same fifty images, but started from nothing."
    ),
    Sentence(
        "Three answers side by side, each with how often it is right on test digits. Now and then a drawing fools the "
        "second network or is read by the third: the page says how often that happens."
    ),
    Sentence("If nobody wants to draw: press Show a hand and pick a photograph. Those answers are recorded."),
)
COMPARE = Step(
    2,
    "train",
    Sentence("The same images, three ways"),
    Sentence("Ask the room which way will win. Then press Run the comparison."),
    Sentence(
        "Twenty-five images in all, five of each digit. One network is fine-tuned, one only lends its features to a "
        "linear SVM, one starts from scratch. Same images, same seed."
    ),
    Sentence(
        "One chart with one colour for each way, and then a verdict with its interval and the time each way took."
    ),
    _RECORDED,
)
SAVINGS = Step(
    1,
    "evidence",
    Sentence("What that is worth"),
    Sentence("Read the headline aloud and follow the mark between the two curves."),
    Sentence(
        "You could also have had this accuracy without transfer: by labelling more images. The headline says how many "
        "times more, and how sure that is."
    ),
    Sentence("Test accuracy against the number of labels, and where the two curves meet again."),
)
HANDS = Step(
    3,
    "home",
    Sentence("The same with photographs"),
    Sentence("Pick some of the hands, easy ones and hard ones. Then press Other hands."),
    Sentence(
        "This network learned a thousand kinds of things from photographs, and no hand sign was among them. Twenty "
        "photographs of each sign were enough to teach it ten. Nobody you see here was in those photographs."
    ),
    Sentence("The answers with transfer and from scratch, each right or wrong, and how often either is right."),
    settings={"door": "hand"},
)
LAYERS = Step(
    5,
    "layers",
    Sentence("Where to cut"),
    Sentence("Drag the boundary from left to right, one layer at a time. Then click a layer to look inside."),
    Sentence(
        "Left of the boundary everything is frozen. Early layers see strokes, which every digit is made of. The last "
        "layer sorts 0 to 4, and that is no longer what we need."
    ),
    Sentence("The accuracy under every cut: it rises, and then it falls at the layer that knows only the old task."),
)
TEACH = Step(
    6,
    "teach",
    Sentence("Teach it your own"),
    Sentence(
        "Name two classes that the room calls out. Turn on the camera and hold each class's button for a second. "
        "Without a camera switch to Pad, and draw."
    ),
    Sentence("Nothing of the network changes. Only a small head on top learns, again after every example."),
    Sentence("The answer follows the camera, and a line says how often it is right about examples it had not seen."),
    Sentence("If the camera is refused: press the button that begins with ready-made examples, and add to those."),
)
MANY_LABELS = Step(
    4,
    "train",
    Sentence("And with 200 labels?"),
    Sentence("Let the room vote first: will transfer win again? Then press Run the comparison."),
    Sentence("We have not changed the network, only the number of images: 200 of each digit instead of five."),
    Sentence("The gap has shrunk, or is gone. Transfer pays where labels are few."),
    Sentence(
        "If the run has to wait: go on to the next step and come back, it keeps running. The chart will be there."
    ),
    settings={"labels": "200"},
)
RACE = Step(
    6,
    "race",
    Sentence("What is gained is paid for"),
    Sentence("Press Start the race, and talk while it runs. Then move the slider under Inside each lane."),
    Sentence(
        "All lanes start level. Watch the old task while the new one is learned: the lane with nothing frozen loses "
        "more of it than the lane with frozen convolutions."
    ),
    Sentence("Curves on shared axes, every layer's drift, and the accuracy on digits 0 to 4 as it falls."),
    _RECORDED,
)
BREAK_IT = Step(
    4,
    "break_it",
    Sentence("Guess first"),
    Sentence("Read out one mistake. Hands up for each of the three guesses, then press what most of you chose."),
    Sentence("These mistakes are common, and most of them give no error message."),
    Sentence("The broken run beside its healthy twin, whether the guess was right, and why it went as it did."),
    Sentence("If the runs have to wait: read the next card and collect guesses. Each card keeps its own runs."),
)
HOW = Step(
    15,
    "how_it_works",
    Sentence("The mathematics, in pictures"),
    Sentence("Take a few steps downhill with the learning rate as it stands. Then choose one that is too large."),
    Sentence(
        "Every number here is from one real run. The frozen layers have a gradient too: it is multiplied by zero. And "
        "before the first layer that trains it need not even be computed, which is where the time is saved."
    ),
    Sentence(
        "The loss curve with its steps, then every layer's gradient and how far it moves: frozen ones not at all."
    ),
)
WRONG_SOURCE = Step(
    8,
    "train",
    Sentence("From the wrong source"),
    Sentence("The source is now the garments network. Let the room vote, then press Run the comparison."),
    Sentence("Transfer is no magic: what was learned has to suit the new task. Sleeves and soles are not strokes."),
    Sentence(
        "A lower accuracy than from digits 0 to 4. Whether it still beats starting from nothing, the verdict says."
    ),
    Sentence("If the run has to wait: open Break it. Its second card is the same mistake, with its reason."),
    settings={"source": "fashion"},
)
CLASSIFIERS = Step(
    10,
    "heads",
    Sentence("One table of features, six heads"),
    Sentence("Read the recorded chart first. Then press Compare heads, and leave raw pixels ticked."),
    Sentence(
        "Freeze everything, and each image is one row of a table. Any classifier can learn from that. The grey marks "
        "learned from raw pixels: the distance between the two is what the network's features are worth."
    ),
    Sentence("The test error of each head on features and on pixels, and which of them tie."),
    Sentence("If the comparison has to wait: press Show the recorded one, and read that."),
)
SAMPLES = Step(
    7,
    "draw",
    Sentence("Ask every model"),
    Sentence("Click through the samples. Pick another model under Answer from, then open Why."),
    Sentence("The models are those of the whole morning. Each answers the same image; the list shows who disagrees."),
    Sentence("One large answer, the others below it in the order before, after and without transfer, and the reason."),
    settings={"way": "sample"},
)


def _for(step: Step, minutes: float) -> Step:
    """Return a step with more or less time for it."""
    return replace(step, minutes=minutes)


PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan(
            "five",
            5,
            Sentence("5 minutes: the idea"),
            Sentence("For a talk. One drawing, one run, one number. Nobody needs to have heard of neural networks."),
            (DRAW_A_SEVEN, COMPARE, SAVINGS),
        ),
        Plan(
            "thirty",
            30,
            Sentence("30 minutes: see it, do it, doubt it"),
            Sentence("For a meeting or a lesson. The room votes before each run, so that a result can surprise it."),
            (DRAW_A_SEVEN, HANDS, TEACH, LAYERS, COMPARE, MANY_LABELS, RACE, _for(BREAK_IT, 2)),
        ),
        Plan(
            "ninety",
            90,
            Sentence("90 minutes: a workshop"),
            Sentence(
                "For people who will train networks themselves. Everybody has the lab open beside you and repeats each "
                "step; leave a quarter of the time for what they find."
            ),
            (
                _for(DRAW_A_SEVEN, 5),
                _for(HANDS, 5),
                HOW,
                _for(LAYERS, 10),
                _for(COMPARE, 7),
                _for(MANY_LABELS, 5),
                WRONG_SOURCE,
                CLASSIFIERS,
                SAMPLES,
                _for(RACE, 8),
                _for(BREAK_IT, 7),
                _for(SAVINGS, 3),
            ),
        ),
    )
}
