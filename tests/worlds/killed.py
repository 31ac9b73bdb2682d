"""A training whose process is killed at a known place: at the so many-th time that a checkpoint might be due."""

from lam_env.agents.checkpoints import Checkpoints


class Killed(BaseException):
    pass


class Dying(Checkpoints):
    """Keeps every second of the times that it is asked, and ends the process, as it were, at the time `at`."""

    def __init__(self, folder, at=None, **belongs):
        super().__init__(folder, belongs)
        self.at, self.asked, self.from_start = at, 0, None

    def begin(self, start):
        state = super().begin(start)
        self.from_start = state is None
        return state

    def due(self):
        self.asked += 1
        if self.asked == self.at:
            raise Killed
        return self.asked % 2 == 0
