"""A person of one's own: a guest of the kit's two residents, who makes tea every hour, on the same SimPy clock."""

from lam_env import LamEnv, User


class Guest(User):
    cups = 0  # where they are in life is data, so that a world can be copied

    def behave(self, world):
        while True:
            yield world.start + int(3_600 * (3 + self.cups + world.streams("guest", "thirst").uniform(self.cups)))
            self.cups += 1
            world.user_event(self.index, world.vocabulary.action("kitchen.kettle.hot"))


env = LamEnv("smart_home", days=1, record=True)
env.reset(seed=0)
env.world.add(Guest(index=2))  # a scenario of one's own does this in make_world: docs/how_to/own_person.md
while not env.step(0)[3]:
    pass
for event in env.world.records:
    if event.user == 2:
        print(f"{event.time // 3600 % 24:02}:{event.time // 60 % 60:02} {env.vocabulary.actions[event.token]}")
