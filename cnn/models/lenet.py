"""LeNet-5, the network that read cheques in the 1990s.

After LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86(11), 1998. What differs from the paper: ReLU instead of scaled tanh;
plain average pooling without trained coefficients and sigmoid; every filter of the second
convolution sees all six maps instead of a chosen subset; the output is softmax with cross-entropy
instead of Euclidean radial basis functions; 28×28 images are padded by the first convolution
instead of being placed on 32×32.
"""

from __future__ import annotations

from cnn.models.registry import register
from cnn.models.specs import AveragePool, Flatten, LayerSpec, Shape
from cnn.models.weighted import Conv, Dense


@register("lenet", "LeNet-5 of 1998 with today's ReLU and softmax: the classic for MNIST.",
          source="LeCun, Bottou, Bengio and Haffner, “Gradient-based learning applied to document "
                 "recognition”, Proceedings of the IEEE 86(11), 1998")
def lenet(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
    """Return two stages of convolution and average pooling, and two dense layers."""
    return (Conv(6, 5, "relu"), AveragePool(), Conv(16, 5, "relu", padding="valid"), AveragePool(),
            Flatten(), Dense(120, "relu"), Dense(84, "relu"))
