"""Architectures: what there is, what each costs, and the Keras model of one.

Importing this package, or any module in it but four, never imports TensorFlow or Keras. `build`,
`inside`, `layers` and `tf_nn` do, so only trainer, engine and CLI import them.
"""

# The registry comes first however the package is entered: it fixes the order of registration.
from cnn.models import registry as registry
