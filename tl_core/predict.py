"""The door by which programs have always come: `from tl_core.predict import Predictor, predict_files`."""

from tl_core.inference.labelled_folder import evaluate_folder
from tl_core.inference.predictor import Predictor, predict_files

__all__ = ["Predictor", "evaluate_folder", "predict_files"]
