"""For tests of what the engine answers: asked in this process, which is quicker to start."""

from cnn.errors import error_from_dict
from cnn.prediction.client import EngineClient
from cnn.prediction.engine import Engine


class SameProcess(EngineClient):
    """The engine's answers without a process of its own."""

    engine = Engine()

    def call(self, header, parts=(), seconds=None):
        reply, blobs = self.engine.answer(header, list(parts))
        if "error" in reply:
            raise error_from_dict(reply["error"])
        return reply, blobs
