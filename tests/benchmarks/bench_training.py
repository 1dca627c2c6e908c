"""One epoch of LeNet-5 on 60,000 images of 28 x 28: ours, PyTorch eager, and Keras with a `PyDataset`."""

import hashlib
import subprocess
import sys
from functools import partial
from importlib.util import find_spec

import keras
import numpy as np
import tensorflow as tf

from cnn_vs_dense.models import build
from common.data import load_mnist
from common.environment import environment
from common.training import compile_classifier, epoch_function


def cases():
    """Yield ``(task, implementations by name, target)``; `target` is the ratio to reach against each peer."""
    for batch_size in (32, 128, 512):
        peers = {"PyTorch eager": partial(_pytorch, batch_size)} if find_spec("torch") else {}
        yield f"LeNet-5 epoch, batches of {batch_size}", {"ours": partial(_ours, batch_size), **peers}, 1.0
    without = {"ours": partial(_ours, 128), "ours, oneDNN off": partial(_ours, 128)}
    yield "LeNet-5 epoch, batches of 128, with oneDNN and without", without, None
    implementations = {"ours": partial(_ours, 128), "PyDataset, 32": partial(_pydataset, 32)}
    yield "LeNet-5 epoch, our batches of 128, a PyDataset's of 32", implementations, 3.0


def remarks():
    """Yield in a line each whether two processes train LeNet-5 to the same bits, with oneDNN and without."""
    for onednn in ("1", "0"):
        settings = environment(TF_ENABLE_ONEDNN_OPTS=onednn)
        command = [sys.executable, "-c", f"from {__name__} import _trained_bits; print(_trained_bits())"]
        first, second = (
            subprocess.run(command, env=settings, capture_output=True, check=True).stdout for _ in range(2)
        )
        found = "the same bits" if first == second else "other bits"
        yield f"LeNet-5 on 6,400 images in two processes, oneDNN {'on' if onednn == '1' else 'off'}: {found}"


def _trained_bits():
    images, labels = _digits()
    model = _lenet5()
    model.optimizer.build(model.trainable_variables)
    order = tf.range(6_400)
    epoch_function(model, 128)(tf.constant(images), tf.constant(labels), order)
    return hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()


def _digits():
    train = load_mnist().train
    return train.as_float(), train.labels


def _lenet5():
    model = build("lenet5", (28, 28, 1), 10)
    compile_classifier(model, 0.001, steps=10_000)
    return model


def _ours(batch_size):
    images, labels = _digits()
    model = _lenet5()
    model.optimizer.build(model.trainable_variables)
    run_epoch = epoch_function(model, batch_size)
    x, y = tf.constant(images), tf.constant(labels)
    order = np.random.default_rng(0).permutation(len(labels)).astype("int32")
    return lambda: float(run_epoch(x, y, order)[0])


def _pydataset(batch_size):
    images, labels = _digits()

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(labels) // batch_size

        def __getitem__(self, i):
            chosen = slice(i * batch_size, (i + 1) * batch_size)
            return images[chosen], labels[chosen]

    model = _lenet5()
    return lambda: model.fit(Batches(), epochs=1, verbose=0)


def _pytorch(batch_size):
    import torch
    from torch import nn

    images, labels = _digits()
    x, y = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()), torch.from_numpy(labels.copy())
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer, loss = torch.optim.Adam(model.parameters(), 0.001), nn.CrossEntropyLoss()

    def run_epoch():
        for chosen in torch.randperm(len(y)).split(batch_size):
            optimizer.zero_grad()
            loss(model(x[chosen]), y[chosen]).backward()
            optimizer.step()

    return run_epoch
