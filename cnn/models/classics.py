"""The networks that made convolutional networks famous, in forms that fit images of 32×32.

Each is what its paper describes, brought to small images: the first convolution and its stride are
smaller, because there is no detail to throw away, and pooling is padded, so that smaller images
than 32×32 work too. The wide dense layers of 4096 units, made for 1,000 classes, have 1024 or 512.
What else differs from a paper is said at each network.
"""

from __future__ import annotations

from cnn.config import Augmentation
from cnn.models.blocks import MOMENTUM, Inception, Residual
from cnn.models.registry import register
from cnn.models.specs import (
    Activation,
    Dropout,
    Flatten,
    GlobalAveragePool,
    LayerSpec,
    MaxPool,
    Shape,
)
from cnn.models.weighted import BatchNorm, Conv, Dense

# For networks without normalisation. With Glorot's weights, `alexnet` had learnt nothing after ten
# steps: from layer to layer, ReLU halves the variance, until all images look the same.
_CAREFUL = {"learning_rate": 3e-4}
_MOVED = {"augmentation": Augmentation(shift=0.125, flip=True)}  # 4 of 32 pixels, as He and others


@register("alexnet", "AlexNet of 2012: overlapping pooling, ReLU, dropout. It began deep learning.",
          recipe=_CAREFUL,
          source="Krizhevsky, Sutskever and Hinton, “ImageNet classification with deep "
                 "convolutional neural networks”, NIPS 2012")
def alexnet(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return five convolutions with the filters of the paper and two dense layers.

    5×5 with stride 2 stands for 11×11 with stride 4. Without local response normalisation, which
    Simonyan and Zisserman (section 4) found to improve nothing, and on one device, not two halves.
    """
    return (_conv(96, 5, 2), _pool(), _conv(256, 5), _pool(), *_last_three())


@register("zfnet", "ZFNet of 2013: AlexNet with a finer first look, found by looking inside.",
          recipe=_CAREFUL,
          source="Zeiler and Fergus, “Visualizing and understanding convolutional networks”, "
                 "arXiv 1311.2901")
def zfnet(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return AlexNet with a smaller first kernel at every pixel, and the stride after it.

    3×3 with stride 1 stands for 7×7 with stride 2. Without local contrast normalisation.
    """
    return (_conv(96, 3), _pool(), _conv(256, 5, 2), _pool(), *_last_three())


def _last_three() -> tuple[LayerSpec, ...]:
    return (_conv(384, 3), _conv(384, 3), _conv(256, 3), _pool(), *_wide(1024))


def _conv(filters: int, kernel: int, stride: int = 1) -> Conv:
    return Conv(filters, kernel, "relu", stride=stride, init="he")


def _wide(units: int) -> tuple[LayerSpec, ...]:
    dense = Dense(units, "relu", init="he")
    return Flatten(), dense, Dropout(0.5), dense, Dropout(0.5)


def _pool() -> MaxPool:
    return MaxPool(3, 2, "same")


@register("vgg", "VGG of 2014 with 11 layers: nothing but 3×3 convolutions, deeper and deeper.",
          recipe=_CAREFUL,
          source="Simonyan and Zisserman, “Very deep convolutional networks for large-scale image "
                 "recognition”, arXiv 1409.1556, configuration A")
def vgg(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return the eight convolutions of configuration A and two dense layers."""
    stages = [layer for count, filters in ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
              for layer in (*(_conv(filters, 3) for _ in range(count)), MaxPool(padding="same"))]
    return (*stages, *_wide(512))


@register("googlenet", "GoogLeNet of 2014: nine inception blocks that look at several scales.",
          recipe=_MOVED,
          source="Szegedy and others, “Going deeper with convolutions”, arXiv 1409.4842, table 1")
def googlenet(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return the nine inception blocks of the paper with half of its filters.

    One convolution stands for the three that make 224 pixels 28. Batch normalisation stands for
    the two auxiliary classifiers, as in Ioffe and Szegedy (arXiv 1502.03167).
    """
    three = [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)]
    four = [(192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
            (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128)]
    five = [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)]
    stages = [layer for stage in (three, four, five)
              for layer in (_pool(), *(Inception(*(n // 2 for n in block)) for block in stage))]
    return (*_first(64), *stages, GlobalAveragePool(), Dropout(0.4))


@register("resnet", "ResNet of 2015 with 20 layers: blocks that only learn what to add.",
          recipe=_MOVED,
          source="He, Zhang, Ren and Sun, “Deep residual learning for image recognition”, "
                 "arXiv 1512.03385, section 4.2")
def resnet(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return the paper's own network for CIFAR-10 with n = 3: nine residual blocks.

    Where the shape changes, the way past a block is a 1×1 convolution (the paper's option B).
    """
    blocks = [Residual(filters, stride if first else 1)
              for filters, stride in ((16, 1), (32, 2), (64, 2)) for first in (True, False, False)]
    return (*_first(16), *blocks, GlobalAveragePool())


def _first(filters: int) -> tuple[LayerSpec, ...]:
    return Conv(filters, 3, bias=False), BatchNorm(momentum=MOMENTUM), Activation("relu")
