"""A run's model as files that work without this project, each checked in its own runtime before it is done.

    formats/     what can be asked for, one record each: how it is made and how it is asked
    subject.py   what is exported: the network, how its probabilities become an answer, what it says of itself
    pictures.py  the pictures that an export is checked with
    check.py     the run's answers and the export's, side by side
    card.py      card.json and README.md
    workflow.py  make, check, write down, put in place: all of it or nothing

How a picture gets to the network is written down once, in `handout/picture-path.md`. Its reference is
`data.pixels.decode` (`read_image` with `max_px`, then `resize_square`); `handout/classify.py` is the same
with Pillow and NumPy alone, for people who have nothing of ours.
"""
