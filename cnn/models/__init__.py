"""Architectures: what there is, what each costs, and the Keras model of one.

Importing this package, or `registry`, `specs`, `weighted`, `summary`, `graph`, `defaults` and
`whitening` in it, never imports TensorFlow or Keras. `build`, `layers` and `tf_nn` do, so only
trainer and engine import them.
"""

# The registry comes first however the package is entered: it fixes the order of registration.
from cnn.models import registry as registry
