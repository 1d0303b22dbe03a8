"""The reasons of errors, with their exit codes and meanings, for docs/cli.md."""

from __future__ import annotations

from mnist_tasks.errors import Reason

REASONS: dict[Reason, tuple[tuple[int, ...], str]] = {
    "wrong-usage": ((2,), "an invalid option, contract or setting"),
    "would-overwrite": (
        (2,),
        "the model file to write exists, and no run made it; or the folder was not exported",
    ),
    "input-refused": ((3,), "another file or record that is missing or invalid"),
    "file-missing": ((3,), "there is no such file"),
    "model-can-run-code": ((3,), "the model file can run code when Keras opens it"),
    "model-unsupported": (
        (3,),
        "the model file has something that this program doesn't know, or reaches a limit",
    ),
    "model-unreadable": ((3,), "the file is damaged, or is not a model"),
    "no-model-files": ((3,), "a folder or list without model files"),
    "picture-unreadable": (
        (3,),
        "a picture that is damaged, too large or in another format; or a folder without pictures",
    ),
    "picture-blank": ((3,), "a picture in which nothing can be read"),
    "several-digits": ((3,), "a picture of several digits"),
    "record-invalid": ((3,), "a run record that is damaged, or has impossible values"),
    "data-missing": ((3,), "`--from` names a path that lacks files of the data set"),
    "data-changed": (
        (3,),
        "the files of a data set are not those that were locked, or that a run was trained on",
    ),
    "code-changed": ((3,), "the code of the network is not what the run was trained with"),
    "not-repeatable": ((3,), "a run whose record doesn't say how to train: that of a script"),
    "other-dataset": ((3,), "the files are those of another known data set"),
    "network-code-failed": (
        (3,),
        "the code of a network of your own raises an error, or returns something unexpected",
    ),
    "network-input-shape": (
        (3,),
        "the model of your own network doesn't take the images of the data set",
    ),
    "network-output-shape": ((3,), "it has another number of classes than the data set"),
    "network-output-logits": (
        (3,),
        "its loss takes probabilities, but the model outputs something else",
    ),
    "export-failed": ((3,), "the model can't be converted to this format, or not be run in it"),
    "export-differs": ((3,), "the exported model was run, and predicts otherwise"),
    "environment-problem": ((4,), "a problem with the machine that has no word of its own"),
    "certificates-unusable": (
        (4,),
        "the bundle of certificates that a variable names can't be read",
    ),
    "isolation-unavailable": (
        (4,),
        "`--require-isolation`, and an essential protection is not on",
    ),
    "library-broken": ((4,), "a library is missing or can't be imported"),
    "no-home-folder": ((4,), "no folder for the data is named, and the user has no home"),
    "process-not-started": ((4,), "the vetting process could not be started"),
    "process-killed": ((4,), "it was killed, from outside or for lack of memory"),
    "process-died": ((4,), "it crashed"),
    "resource-limit": ((4,), "too little memory, also of a GPU, or too few threads or open files"),
    "temporary-folder-unusable": (
        (4,),
        "the temporary folder is full, missing or read-only, or its path is not UTF-8",
    ),
    "time-limit": ((4,), "the limit on the wall clock was reached on a busy machine"),
    "internal-error": ((70,), "a bug; standard error has its traceback"),
    "interrupted": ((130,), "Ctrl-C, or no answer to a question"),
    "terminated": ((143, 129), "SIGTERM; SIGHUP"),
}
