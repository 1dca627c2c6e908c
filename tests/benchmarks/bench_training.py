"""One epoch of LeNet-5 on 60,000 images of 28 x 28: ours, PyTorch eager, and Keras with a `PyDataset`."""

from importlib.util import find_spec

import keras
import numpy as np
import tensorflow as tf

from cnn_vs_dense.experiments import compile_classifier
from cnn_vs_dense.models import build
from common.data import load_mnist
from common.training import epoch_function


def cases():
    """Yield ``(task, {name: callable}, target)``; `target` is the ratio to reach against each peer."""
    train = load_mnist().train
    images, labels = train.as_float(), train.labels
    for batch_size in (32, 128, 512):
        callables = {"ours": _ours(images, labels, batch_size)}
        if find_spec("torch"):
            callables["PyTorch eager"] = _pytorch(images, labels, batch_size)
        yield f"LeNet-5 epoch, batches of {batch_size}", callables, 1.0
    callables = {"ours": _ours(images, labels, 128), "PyDataset, 32": _pydataset(images, labels, 32)}
    yield "LeNet-5 epoch, our batches of 128, a PyDataset's of 32", callables, 3.0


def _lenet5():
    model = build("lenet5", (28, 28, 1), 10)
    compile_classifier(model, 0.001, steps=10_000)
    return model


def _ours(images, labels, batch_size):
    def prepare():
        model = _lenet5()
        model.optimizer.build(model.trainable_variables)
        run_epoch = epoch_function(model, batch_size)
        x, y = tf.constant(images), tf.constant(labels)
        order = np.random.default_rng(0).permutation(len(labels)).astype("int32")
        return lambda: float(run_epoch(x, y, order)[0])

    return _prepared(prepare)


def _pydataset(images, labels, batch_size):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(labels) // batch_size

        def __getitem__(self, i):
            chosen = slice(i * batch_size, (i + 1) * batch_size)
            return images[chosen], labels[chosen]

    def prepare():
        model = _lenet5()
        return lambda: model.fit(Batches(), epochs=1, verbose=0)

    return _prepared(prepare)


def _pytorch(images, labels, batch_size):
    def prepare():
        import torch
        from torch import nn

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

    return _prepared(prepare)


def _prepared(prepare):
    """Put the preparation into the first call, which is the warm-up, so that only it takes memory."""
    prepared = []

    def call():
        if not prepared:
            prepared.append(prepare())
        return prepared[0]()

    return call
