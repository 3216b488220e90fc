"""Keras models from elsewhere: looked into, and made anew from allowed parts.

    a `.keras` file -> archive: its three members, within limits
                    -> config: JSON without custom classes, functions, links and paths
                    -> plan: allowed layers in the order in which they are computed
                    -> weights: plain arrays
                    -> building: a network of our own making

All but `building` work without TensorFlow. Nothing of the file ever reaches Keras's own loader.
"""
