"""The 64 prompts by which the embedded models are judged, each with what a picture of it must show.

They cover things, places, times, styles and colours. Those marked `held out` combine a thing with a place, or with a
style, in which no training picture shows it (`world.HELD_OUT`).
"""

from dataclasses import dataclass, field

import numpy as np

from text2art_nb.training import world


@dataclass(frozen=True)
class Asked:
    """A prompt, and the attributes that a picture of it shows (names and values of `world.ATTRIBUTES`)."""

    text: str
    shows: dict[str, str] = field(default_factory=dict)

    def scene(self, variant: int) -> world.Scene:
        """A scene that the prompt describes; everything that it leaves open is chosen by `variant`."""
        rng = np.random.default_rng(variant)
        colour = int(rng.integers(len(world.ATTRIBUTES["colour"])))
        wanted = {name: world.ATTRIBUTES[name].index(value) for name, value in self.shows.items()}
        return world.Scene(**{"thing": 0, "colour": colour, "size": 2, "variant": int(rng.integers(2**62)), **wanted})

    @property
    def held_out(self) -> bool:
        """Whether no training picture shows the thing with the place, or with the style, that is asked for."""
        return any((self.shows["thing"], self.shows.get(name)) in world.HELD_OUT for name in ("place", "style"))


def _asked(text: str, **shows: str) -> Asked:
    return Asked(text, shows)


PROMPTS: tuple[Asked, ...] = (
    _asked("an underwater city", thing="city", place="underwater"),
    _asked("a knight #pixelart", thing="knight", style="pixel art"),
    _asked("a fantasy kingdom at sunset", thing="castle", time="sunset"),
    _asked("a Chinese fantasy village in the mountains", thing="pagoda", place="mountains"),
    _asked("a red castle in the snow", thing="castle", colour="red", place="snow"),
    _asked("a blue dragon in space", thing="dragon", colour="blue", place="space"),
    _asked("a pencil sketch of a cat", thing="cat", style="pencil sketch"),
    _asked("a watercolor of a rabbit", thing="rabbit", style="watercolor"),
    _asked("a neon mushroom", thing="mushroom", style="neon"),
    _asked("a yellow submarine underwater", thing="submarine", colour="yellow", place="underwater"),
    _asked("a red rocket on the moon", thing="rocket", colour="red", place="moon"),
    _asked("a lighthouse at night", thing="lighthouse", time="night"),
    _asked("a green cactus in the desert", thing="cactus", colour="green", place="desert"),
    _asked("a pink octopus in space", thing="octopus", colour="pink", place="space"),
    _asked("a stained glass butterfly", thing="butterfly", style="stained glass"),
    _asked("a low poly house", thing="house", style="low poly"),
    _asked("an oil painting of a boat", thing="boat", style="oil painting"),
    _asked("a purple jellyfish", thing="jellyfish", colour="purple"),
    _asked("a snowman in the snow", thing="snowman", place="snow"),
    _asked("a white owl in a forest", thing="owl", colour="white", place="forest"),
    _asked("a ghost in a graveyard at night", thing="ghost", place="graveyard", time="night"),
    _asked("an orange pumpkin", thing="pumpkin", colour="orange"),
    _asked("a windmill in a flower field", thing="windmill", place="flowers"),
    _asked("a hot air balloon in the clouds", thing="balloon", place="clouds"),
    _asked("a blue whale in the sea", thing="whale", colour="blue", place="sea"),
    _asked("a robot in the city", thing="robot", place="city"),
    _asked("a red apple, comic", thing="apple", colour="red", style="comic"),
    _asked("a monochrome skull", thing="skull", style="monochrome"),
    _asked("a golden crown in a cave", thing="crown", colour="yellow", place="cave"),
    _asked("a green frog in a meadow", thing="frog", colour="green", place="meadow"),
    _asked("a paper cut of a fish", thing="fish", style="paper cut"),
    _asked("a brown horse on the beach", thing="horse", colour="brown", place="beach"),
    _asked("a wizard in a cave", thing="wizard", place="cave"),
    _asked("a pink princess in a flower garden", thing="princess", colour="pink", place="flowers"),
    _asked("an astronaut on the moon", thing="astronaut", place="moon"),
    _asked("a green dinosaur by a volcano", thing="dinosaur", colour="green", place="volcano"),
    _asked("a penguin in the snow", thing="penguin", place="snow"),
    _asked("a blue elephant in the desert", thing="elephant", colour="blue", place="desert"),
    _asked("a yellow duck on the sea", thing="duck", colour="yellow", place="sea"),
    _asked("an orange fox in the woods", thing="fox", colour="orange", place="forest"),
    _asked("a lion at sunset", thing="lion", time="sunset"),
    _asked("a teddy bear in a cosy room", thing="bear", place="room"),
    _asked("a mermaid under the sea", thing="mermaid", place="underwater"),
    _asked("a treasure chest on the beach", thing="chest", place="beach"),
    _asked("a red helicopter above the clouds", thing="helicopter", colour="red", place="clouds"),
    _asked("a yellow school bus in the city", thing="bus", colour="yellow", place="city"),
    _asked("a strawberry pink ice cream", thing="icecream", colour="pink"),
    _asked("a bee among flowers", thing="bee", place="flowers"),
    _asked("a steam train in the mountains", thing="train", place="mountains"),
    _asked("a blue car, pop art", thing="car", colour="blue", style="comic"),
    _asked("a flying saucer at night", thing="ufo", time="night"),
    _asked("an igloo with falling snow", thing="igloo", weather="snowfall"),
    _asked("a pyramid with a rainbow", thing="pyramid", weather="rainbow"),
    _asked("a greek temple, watercolor", thing="temple", style="watercolor"),
    _asked("a stained glass window of a ship", thing="ship", style="stained glass"),
    _asked("a pencil drawing of a guitar", thing="guitar", style="pencil sketch"),
    _asked("neon heart", thing="heart", style="neon"),
    _asked("pixel art of a sword", thing="sword", style="pixel art"),
    _asked("a low poly giraffe in the desert", thing="giraffe", style="low poly", place="desert"),
    _asked("a purple turtle underwater", thing="turtle", colour="purple", place="underwater"),
    _asked("a palm tree at dawn", thing="palm", time="dawn"),
    _asked("a birthday cake in a room", thing="cake", place="room"),
    _asked("a red umbrella in the rain", thing="umbrella", colour="red", weather="rain"),
    _asked("a paper cut of a snail", thing="snail", style="paper cut"),
)
