"""The things of the world, in fixed order (the order is part of the checkpoints' attribute indices: only append)."""

from collections.abc import Callable
from dataclasses import dataclass

from text2art_nb.training.world.pen import Pen
from text2art_nb.training.world.things import animals, buildings, objects, people, plants, sea, vehicles


@dataclass(frozen=True)
class Thing:
    """One kind of thing: `floats` hover or swim instead of standing; `natural` colours are sampled more often."""

    draw: Callable[[Pen], None]
    natural: tuple[str, ...]
    floats: bool = False

    @property
    def name(self) -> str:
        return self.draw.__name__


def _stands(draw: Callable[[Pen], None], natural: str) -> Thing:
    return Thing(draw, tuple(natural.split()))


def _floats(draw: Callable[[Pen], None], natural: str) -> Thing:
    return Thing(draw, tuple(natural.split()), floats=True)


THINGS: tuple[Thing, ...] = (
    _stands(buildings.castle, "grey yellow pink white"),
    _stands(buildings.house, "white yellow red"),
    _stands(buildings.lighthouse, "red blue"),
    _stands(buildings.windmill, "white brown"),
    _stands(buildings.pagoda, "red green"),
    _stands(buildings.temple, "white yellow grey"),
    _stands(buildings.tent, "orange green red"),
    _stands(buildings.city, "grey blue"),
    _stands(buildings.village, "red orange brown"),
    _stands(buildings.bridge, "grey brown red"),
    _stands(buildings.igloo, "white blue"),
    _stands(buildings.pyramid, "yellow orange"),
    _stands(buildings.tower, "grey brown"),
    _stands(buildings.well, "grey brown"),
    _stands(vehicles.boat, "red blue brown"),
    _stands(vehicles.ship, "red black blue"),
    _floats(vehicles.rocket, "red white"),
    _floats(vehicles.ufo, "grey green"),
    _stands(vehicles.car, "red blue yellow"),
    _stands(vehicles.train, "black red green"),
    _floats(vehicles.balloon, "red yellow"),
    _floats(vehicles.airplane, "white red"),
    _floats(vehicles.submarine, "yellow grey"),
    _stands(vehicles.bicycle, "red blue"),
    _stands(plants.tree, "green green orange"),
    _stands(plants.pine, "green"),
    _stands(plants.palm, "green"),
    _stands(plants.cactus, "green"),
    _stands(plants.mushroom, "red brown"),
    _stands(plants.flower, "red yellow pink purple"),
    _stands(plants.pumpkin, "orange"),
    _floats(sea.fish, "orange blue yellow"),
    _floats(sea.shark, "grey blue"),
    _floats(sea.whale, "blue grey"),
    _floats(sea.jellyfish, "pink purple"),
    _floats(sea.octopus, "purple orange red"),
    _floats(sea.turtle, "green brown"),
    _stands(sea.crab, "red orange"),
    _floats(sea.seahorse, "orange yellow"),
    _stands(animals.cat, "grey orange black"),
    _stands(animals.dog, "brown white black"),
    _stands(animals.rabbit, "white grey brown"),
    _stands(animals.horse, "brown white black"),
    _stands(animals.elephant, "grey"),
    _stands(animals.giraffe, "yellow orange"),
    _stands(animals.owl, "brown"),
    _floats(animals.bird, "red blue yellow"),
    _stands(animals.penguin, "black blue"),
    _floats(animals.butterfly, "orange blue purple"),
    _stands(animals.snail, "brown pink"),
    _stands(animals.frog, "green"),
    _stands(animals.dinosaur, "green purple"),
    _stands(animals.dragon, "red green"),
    _stands(animals.pig, "pink"),
    _stands(people.knight, "red blue"),
    _stands(people.wizard, "purple blue"),
    _stands(people.robot, "grey blue"),
    _stands(people.astronaut, "white orange"),
    _floats(people.ghost, "white"),
    _stands(people.snowman, "red black green"),
    _stands(people.princess, "pink blue"),
    _stands(people.skull, "white"),
    _stands(objects.crown, "yellow"),
    _floats(objects.sword, "grey blue"),
    _floats(objects.heart, "red pink"),
    _floats(objects.star, "yellow"),
    _stands(objects.apple, "red green"),
    _stands(objects.cup, "blue white red"),
    _floats(objects.book, "red brown"),
    _floats(objects.umbrella, "red blue"),
    _stands(objects.guitar, "brown orange"),
    _floats(objects.key, "yellow"),
    _stands(objects.lantern, "black red"),
    _stands(objects.clock, "red blue"),
    _stands(objects.gift, "red blue"),
    _stands(objects.cake, "pink brown"),
    _stands(animals.lion, "yellow orange brown"),
    _stands(animals.bear, "brown"),
    _stands(animals.fox, "orange red"),
    _stands(animals.duck, "yellow"),
    _floats(animals.bee, "yellow"),
    _stands(people.mermaid, "green blue purple"),
    _stands(vehicles.bus, "red yellow blue"),
    _floats(vehicles.helicopter, "red blue green"),
    _stands(objects.chest, "brown"),
    _stands(objects.icecream, "pink brown"),
)
