"""Deep supervision: the coarser levels of a decoder learn the segmentation too (Isensee 2018, arXiv:1809.10486)."""

import keras
import tensorflow as tf
from keras import layers, ops


class Supervised(keras.Model):
    """A network whose first output is scored, and whose coarser ones weigh in on the loss with half as much a level.

    All compare with the same classes (batch, X, Y, Z), which the loss averages down to the output's grid.
    """

    def compile(self, optimizer, loss, metrics):
        super().compile(optimizer, metrics=metrics)
        self.level_loss = loss

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        total, weights = 0.0, 0.0
        for prediction in keras.tree.flatten(y_pred):
            stride = y.shape[1] // prediction.shape[1]
            weight = 1.0 if stride == 1 else 2.0 / stride
            total, weights = total + weight * ops.mean(self.level_loss(y, prediction)), weights + weight
        # Each of several devices' gradients are added up.
        return total / weights / tf.distribute.get_strategy().num_replicas_in_sync

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y, keras.tree.flatten(y_pred)[0], sample_weight)


def supervise(model: keras.Model) -> Supervised:
    """The same network with its activation on each coarser level of its decoder beside its own output.

    The layers are shared: what the outer model learns, the inner one has. Raises ValueError for a network whose decoder
    has no layers decoder_0 (the finest), decoder_1, …
    """
    levels = [layer for layer in model.layers if layer.name.startswith("decoder_")]
    if not levels:
        raise ValueError(f"deep_supervision: {model.name} has no decoder levels to supervise; take unet or turn it off")
    activation = model.layers[-1].activation
    outputs = [model.output]
    for layer in levels:
        if layer.name != "decoder_0":
            x = layers.Conv3D(model.output_shape[-1], 1, name=f"head_{layer.name}")(layer.output)
            outputs.append(layers.Activation(activation, dtype="float32", name=f"output_{layer.name}")(x))
    return Supervised(model.input, outputs, name=model.name)
