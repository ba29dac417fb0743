"""How the built-in backbone was made, and how to make a better one: one command, which can be stopped.

    python -m tl_core.models.pretraining OUT [--start formula] [--phases 64:2000000 96:1000000 …]

    recipe.py     sizes, numbers of pictures and learning rates of each phase
    pictures.py   the pictures of step n, drawn by formula: the same ones at every attempt
    dense.py      the second task: orientation histograms and colours of a grid over the picture
    loop.py       network, averaged weights, optimiser; a step; a checkpoint that holds all of it
    finish.py     BatchNorm statistics for 224 px, accuracy on unseen instances, the weight file and its card

Pictures drawn by formula are enough to pre-train on: Kataoka et al. 2020, arXiv:2101.08515; contours as good
as ImageNet: Kataoka et al. 2022, arXiv:2206.09132; Takashima et al. 2023, arXiv:2303.01112. Histograms of
gradients as a target: Wei et al. 2022, arXiv:2112.09133.
"""
