"""The lesson: nine steps from "what is transferred?" to "explain what I did", each beside something live.

path.py       the steps and their ideas, in order; where this person is and what is done
page.py       one idea on the screen: words on one side, the live part on the other
stepper.py    the row of steps, and Back and Next
presenter.py  the same for a projector, turned with keys
idea.py       what an idea consists of
code_view.py  the lines of the running program behind an idea

and one module per step, which holds its live parts under `IDEAS`.
"""
