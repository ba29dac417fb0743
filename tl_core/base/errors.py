"""What can go wrong, one class per cause, each with a sentence in the person's language.

    TlError
    ├─ ConfigError             a setting that cannot be
    ├─ DataError
    │  ├─ DataNotFound         the path does not exist
    │  ├─ PlaceRefused         a path that another's browser may not use, or cannot
    │  ├─ NotAFolder           the path is no folder and no zip
    │  ├─ NoClassFolders       no class folders with pictures
    │  ├─ OneClass             pictures of a single class only
    │  ├─ NoTrainingPart       a val and a test, but nothing to train on
    │  ├─ LabelsInFile         pictures without class folders, whose labels are in a file we cannot use
    │  ├─ TooFewPictures       a class with fewer pictures than a split needs
    │  ├─ TooFewGroups         a class whose pictures are all copies, bursts or videos of too few things
    │  ├─ SplitClassMissing    a given split lacks a class, or has one that training lacks
    │  ├─ UnknownClass         a labelled folder with a class that the run was not trained on
    │  ├─ UnreadableImage      one picture that cannot be used, with the reason
    │  ├─ UnreadableVideo      a video that cannot be used, with the reason
    │  ├─ OneVideo             a video beside other files, or for several runs
    │  ├─ NoReadableImages     every picture was refused
    │  ├─ NoPicture            runs to ask, and nothing to ask them about
    │  ├─ RegisterDamaged      the list of data sets cannot be read
    │  ├─ BadArchive           a zip that is broken, dangerous or too large
    │  ├─ BadDecisions         a row of the decisions beside the pictures that cannot be followed
    │  ├─ BadGroups            a table of pictures that belong together, which cannot be read
    │  └─ DecisionsLeaveNone   after the decisions a part of the split lacks a class
    ├─ WeightsError
    │  ├─ UnknownWeights       no such weight source
    │  ├─ WeightsUnavailable   a source that cannot be used now, with the reason
    │  └─ WeightsMismatch      a file whose tensors do not fit the network
    ├─ HeadError               no final Linear, or fewer than two classes
    ├─ TrainingError
    │  ├─ NonFiniteLoss        the loss became NaN or infinite
    │  └─ OutOfMemory          the batch does not fit, with one that would
    ├─ RunError
    │  ├─ RunExists            the output folder already holds something
    │  ├─ RunNotFound          no such run
    │  ├─ RunBusy              another process is working on it
    │  ├─ RunNotReady          the run has no trained model yet
    │  ├─ NothingToResume      finished, or stopped before anything was kept
    │  ├─ RunDamaged           a file of the run cannot be read
    │  │  └─ CheckpointDamaged  what a resume needs is not as it was written
    │  ├─ NotComparable        two runs whose answers cannot be paired, with the reason
    │  └─ OutputUnwritable     read-only folder or full disk
    ├─ ExportError
    │  ├─ StageMissing         the run has no model of the stage asked for
    │  ├─ PackageMissing       a format's package is not installed
    │  ├─ WebRuntimeMissing    ONNX Runtime for browsers is not here, with the reason
    │  ├─ CalibrationGone      the training pictures, which int8 needs, are no longer there
    │  ├─ ExportExists         something lies where the export would go
    │  └─ ExportFailed         the converter, or the runtime of the check, gave up
    ├─ ClassroomError
    │  ├─ NicknameRefused      empty, too long, or without a letter or digit
    │  └─ ClassFull            more learners than this server keeps
    ├─ DeviceError             the device or precision asked for is not here
    └─ PortRefused             an address at which this machine does not let us listen

The sentences live in `messages/<language>.toml`, section [error], under the
class's `code`. Every class is raised with keyword values that fill the sentence.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tl_core.base.files.file_names import readable
from tl_core.base.messages import FALLBACK, say


class TlError(Exception):
    """Base of everything the person can mend. `values` fill the sentence named by `code`;
    a value called `reason` is itself a key, under [reason], and is said in the same language."""

    code: ClassVar[str] = "unknown"

    def __init__(self, **values: Any) -> None:
        super().__init__(values)
        self.values = {name: _plain(value) for name, value in values.items()}

    def message(self, language: str = FALLBACK) -> str:
        values = dict(self.values)
        if "reason" in values:
            values["reason"] = say(f"reason.{values['reason']}", language, detail=values.get("detail", ""))
        return say(f"error.{self.code}", language, **values)

    def __str__(self) -> str:
        return self.message()


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | None) else readable(str(value))


class ConfigError(TlError):
    """values: name, value, need"""

    code = "config"


class DataError(TlError):
    pass


class DataNotFound(DataError):
    """values: path"""

    code = "data_not_found"


class PlaceRefused(DataError):
    """values: path: not there, not allowed, or nothing of use in it; which, is not said"""

    code = "place_refused"


class NotAFolder(DataError):
    """values: path"""

    code = "not_a_folder"


class NoClassFolders(DataError):
    """values: path"""

    code = "no_class_folders"


class OneClass(DataError):
    """values: path, name"""

    code = "one_class"


class NoTrainingPart(DataError):
    """values: path, names (the splits there are)"""

    code = "no_training_part"


class LabelsInFile(DataError):
    """values: path (of the pictures), file (of the labels), reason (a key under [reason]), detail"""

    code = "labels_in_file"


class TooFewPictures(DataError):
    """values: name (class), count, need"""

    code = "too_few_pictures"


class TooFewGroups(DataError):
    """values: name (class), count (its pictures), distinct, need"""

    code = "too_few_groups"


class SplitClassMissing(DataError):
    """values: split, name (class)"""

    code = "split_class_missing"


class NoPicture(DataError):
    """values: run (the last one named)"""

    code = "no_picture"


class RegisterDamaged(DataError):
    """values: file, detail"""

    code = "register_damaged"


class UnknownClass(DataError):
    """values: path, name, known (the run's classes)"""

    code = "unknown_class"


class UnreadableImage(DataError):
    """values: file, reason (a key under [reason] in the messages), detail"""

    code = "unreadable_image"


class UnreadableVideo(DataError):
    """values: file, reason (a key under [reason]), detail"""

    code = "unreadable_video"


class OneVideo(DataError):
    """values: file"""

    code = "one_video"


class NoReadableImages(DataError):
    """values: path, count, example (one refused file and why)"""

    code = "no_readable_images"


class BadArchive(DataError):
    """values: file, reason (a key under [reason]), detail"""

    code = "bad_archive"


class BadDecisions(DataError):
    """values: file (the table, or the picture), line, value, need"""

    code = "bad_decisions"


class BadGroups(DataError):
    """values: file, detail"""

    code = "bad_groups"


class DecisionsLeaveNone(DataError):
    """values: split, name (class)"""

    code = "decisions_leave_none"


class WeightsError(TlError):
    pass


class UnknownWeights(WeightsError):
    """values: source"""

    code = "unknown_weights"


class WeightsUnavailable(WeightsError):
    """values: source, reason (a key under [reason]), detail"""

    code = "weights_unavailable"


class WeightsMismatch(WeightsError):
    """values: source, detail (missing, unexpected or misshapen tensors, the first few)"""

    code = "weights_mismatch"


class HeadError(TlError):
    """values: detail"""

    code = "head"


class TrainingError(TlError):
    pass


class NonFiniteLoss(TrainingError):
    """values: stage, epoch, learning_rate"""

    code = "non_finite_loss"


class OutOfMemory(TrainingError):
    """values: batch_size, fits (0 when not even one picture fits)"""

    code = "out_of_memory"

    def message(self, language: str = FALLBACK) -> str:
        code = "out_of_memory" if self.values.get("fits") else "out_of_memory_none"
        return say(f"error.{code}", language, **self.values)


class RunError(TlError):
    pass


class RunExists(RunError):
    """values: path"""

    code = "run_exists"


class RunNotFound(RunError):
    """values: path"""

    code = "run_not_found"


class RunBusy(RunError):
    """values: path"""

    code = "run_busy"


class RunNotReady(RunError):
    """values: path"""

    code = "run_not_ready"


class NothingToResume(RunError):
    """values: path"""

    code = "nothing_to_resume"


class RunDamaged(RunError):
    """values: file, detail"""

    code = "run_damaged"


class CheckpointDamaged(RunDamaged):
    """values: file, detail"""

    code = "checkpoint_damaged"


class NotComparable(RunError):
    """values: first, second (names of the runs), reason (a key under [reason])"""

    code = "not_comparable"


class OutputUnwritable(RunError):
    """values: path, reason (a key under [reason]), detail"""

    code = "output_unwritable"


class ExportError(TlError):
    pass


class StageMissing(ExportError):
    """values: path (of the run), stage, have (the stages there are)"""

    code = "stage_missing"


class PackageMissing(ExportError):
    """values: format, package"""

    code = "package_missing"


class CalibrationGone(ExportError):
    """values: path (of the run)"""

    code = "calibration_gone"


class ExportExists(ExportError):
    """values: path"""

    code = "export_exists"


class WebRuntimeMissing(ExportError):
    """values: reason (a key under [reason]), detail"""

    code = "web_runtime_missing"


class ExportFailed(ExportError):
    """values: detail"""

    code = "export_failed"


class ClassroomError(TlError):
    pass


class NicknameRefused(ClassroomError):
    """values: longest"""

    code = "nickname"


class ClassFull(ClassroomError):
    """values: count, path"""

    code = "class_full"


class DeviceError(TlError):
    """values: device, detail"""

    code = "device"


class PortRefused(TlError):
    """values: host, port, detail"""

    code = "port_refused"
