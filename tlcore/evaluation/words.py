"""What a test found, in sentences that pages, commands and reports share."""

from tlcore.sentences import Sentence, join, percent
from tlcore.spec import Evaluation


def accuracy_words(test: Evaluation) -> Sentence:
    """Return a test accuracy with its interval as a sentence, after the balanced one where the classes are lopsided."""
    plain = Sentence(
        "Test accuracy {accuracy} on {n:,} images never trained on; 95 % interval {low} to {high}.",
        accuracy=percent(test.accuracy),
        n=test.n,
        low=percent(test.low),
        high=percent(test.high),
    )
    if test.balanced is None:
        return plain
    balanced = Sentence(
        "Balanced accuracy {accuracy}, in which each class counts alike; 95 % interval {low} to {high}. Always "
        "guessing the class with the most test images would reach {chance}, and be right in {guess} of them.",
        accuracy=percent(test.headline),
        low=percent(test.balanced.low),
        high=percent(test.balanced.high),
        chance=percent(test.balanced.chance),
        guess=percent(test.balanced.guess),
    )
    return join([balanced, plain])
