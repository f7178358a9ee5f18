"""The colours of runs, heads, lanes and classes. Blue means frozen and orange trainable, on Layers: nothing else is."""

# Told apart with every common colour blindness, and from both themes' grounds. One colour a run or a head, everywhere.
COLOURS = ("#009E73", "#CC79A7", "#B8A500", "#8C8C8C", "#7B5EA7", "#8A4B2D", "#C2185B", "#5F8F2F")
MARK = "#C2185B"  # what was picked, or is pointed at
GREY = "#8C8C8C"  # what there is to compare with: guessing, the ideal, before
