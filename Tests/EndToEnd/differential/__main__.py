"""Does the same steps with Crema, with Debian's mosquitto, and with a model of each, and compares what every client gets.

Usage: python3 -m differential STEPS [SEED [WORLD]]    one world of that seed only, when it is named
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from broker import Broker, free_port  # noqa: E402
from links import Link  # noqa: E402

from . import known  # noqa: E402
from .side import Difference, Side  # noqa: E402
from .states import Choices  # noqa: E402
from .steps import Steps  # noqa: E402

STEPS_PER_WORLD = 80
INFLIGHT = 5
LOOPS = (1, 3)


class Mosquitto:
    """Debian's mosquitto, without a file of its own."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mosquitto-"))
        self.mqtt = free_port()
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.mqtt} 127.0.0.1\nallow_anonymous true\npersistence false\nsys_interval 0\nlog_type none\n"
            f"max_inflight_messages {known.INFLIGHT}\nmax_queued_messages 0\nallow_duplicate_messages true\nset_tcp_nodelay true\n")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 15
        while True:
            try:
                Link(self.mqtt).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.end()
                    raise
                time.sleep(0.02)

    def end(self):
        self.process.terminate()
        self.process.wait(15)
        shutil.rmtree(self.folder)


class World:
    """A few clients from nothing; their names and topics have a prefix of their own."""

    counter = 0

    def __init__(self, ports, loops):
        World.counter += 1
        prefix = f"w{World.counter}/"
        self.sides = [Side("Crema", ports["Crema", loops], Choices(inflight=INFLIGHT, forgets_at_once=loops == 1), prefix)]
        if "mosquitto" in ports:
            self.sides.append(Side("mosquitto", ports["mosquitto"], known.mosquitto(), prefix))

    def apply(self, step):
        for side in self.sides:
            try:
                side.apply(step)
            except Difference as difference:
                raise Difference(f"{side.name}: {difference}") from None

    def end(self):
        """Nothing is left: no session, no retained message."""
        for side in self.sides:
            for link, _ in side.clients.values():
                link.close()
            side.forget()


def run(steps, ports, loops, history):
    """Does steps in a new world; answers its sides' models. `steps` may choose by the first of them."""
    world = World(ports, loops)
    try:
        for step in steps(world.sides[0].model):
            history.append(step)
            world.apply(step)
        return [side.model for side in world.sides]
    finally:
        world.end()


def random_steps(seed, count):
    def choose(model):
        steps = Steps(random.Random(seed), model)
        for _ in range(count):
            yield steps.next()
    return choose


def shorter(history, ports, loops, message):
    """The same difference with fewer steps, as far as leaving some out shows it."""
    def shows(steps):
        try:
            run(lambda _: iter(steps), ports, loops, [])
        except Difference as difference:
            return str(difference).split(":")[0] == message.split(":")[0]
        except Exception:  # a step that no longer makes sense
            return False
        return False

    size = max(1, len(history) // 2)
    deadline = time.monotonic() + 120
    while size and time.monotonic() < deadline:
        place = 0
        while place < len(history):
            fewer = history[:place] + history[place + size:]
            if shows(fewer):
                history = fewer
            else:
                place += size
        size //= 2
    return history


def main():
    parser = argparse.ArgumentParser(prog="differential", description=__doc__.splitlines()[0])
    parser.add_argument("steps", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("world", type=int, nargs="?")
    parser.add_argument("--alone", action="store_true", help="Crema and its model only")
    options = parser.parse_args()
    limits = {"inflightMax": INFLIGHT, "connectBurstPerClientMax": 1_000_000}
    brokers = {("Crema", loops): Broker(limits={"eventLoopsMax": loops, **limits}) for loops in LOOPS}
    ports = {key: broker.mqtt for key, broker in brokers.items()}
    if not options.alone:
        brokers["mosquitto"] = Mosquitto()
        ports["mosquitto"] = brokers["mosquitto"].mqtt
    started, done, differences, notes = time.monotonic(), 0, [], {}
    try:
        world = options.world or 1
        while done < options.steps and len(differences) < 5:
            loops, history = LOOPS[world % len(LOOPS)], []
            try:
                for model in run(random_steps(f"{options.seed}/{world}", STEPS_PER_WORLD), ports, loops, history):
                    for name, count in model.differences.items():
                        notes[name] = notes.get(name, 0) + count
            except Difference as difference:
                differences.append(world)
                report(options.seed, world, loops, history, ports, str(difference))
            done += len(history)
            world += 1
            if options.world:
                break
    finally:
        for broker in brokers.values():
            broker.end()
    print(f"{done} steps in {world - (options.world or 1)} worlds, {time.monotonic() - started:.0f} s, seed {options.seed}")
    known.tell(notes)
    if differences:
        print(f"FAILED: {len(differences)} worlds with a difference that nothing explains: {differences}")
    return 1 if differences else 0


def report(seed, world, loops, history, ports, message):
    print(f"\nseed {seed} world {world} ({loops} event loops), step {len(history)}: {message}", flush=True)
    short = shorter(history, ports, loops, message)
    try:
        run(lambda _: iter(short), ports, loops, [])
    except Difference as difference:
        print(f"{len(short)} steps are enough: {difference}")
    for step in short:
        print("   ", step)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
