"""Captions of scenes in many phrasings, each with exactly what it states."""

import re

import numpy as np
from numpy.typing import NDArray

from text2art_nb.training.world.scene import ATTRIBUTES, COUNTS, NAMES, Scene, attributes
from text2art_nb.training.world.things import THINGS

# Nouns of every thing, singular; "noun/plural" where the plural isn't regular. The first is the plain name.
THING_WORDS: dict[str, tuple[str, ...]] = {
    "castle": (
        "castle",
        "castle",
        "fortress",
        "medieval castle",
        "palace",
        "fantasy kingdom",
        "fantasy castle",
        "medieval fortress",
    ),
    "house": ("house", "house", "cottage", "home", "little house", "hut", "roof"),
    "lighthouse": ("lighthouse", "lighthouse", "light house", "beacon tower"),
    "windmill": ("windmill", "windmill", "mill"),
    "pagoda": (
        "pagoda",
        "pagoda",
        "chinese temple",
        "japanese temple",
        "chinese fantasy village",
        "chinese pagoda",
        "asian tower",
    ),
    "temple": ("temple", "temple", "greek temple", "ancient temple", "roman temple", "parthenon"),
    "tent": ("tent", "tent", "camping tent", "circus tent"),
    "city": (
        "city/cities",
        "city/cities",
        "skyline",
        "big city/big cities",
        "metropolis/metropolises",
        "futuristic city/futuristic cities",
        "town",
    ),
    "village": ("village", "village", "fantasy village", "hamlet", "little village", "small town"),
    "bridge": ("bridge", "bridge", "stone bridge"),
    "igloo": ("igloo", "igloo", "eskimo igloo"),
    "pyramid": ("pyramid", "pyramid", "egyptian pyramid"),
    "tower": ("tower", "tower", "clock tower", "clocktower"),
    "well": ("well", "wishing well", "water well"),
    "boat": ("boat", "boat", "sailboat", "sailing boat", "yacht"),
    "ship": ("ship", "ship", "steamship", "steamer", "ocean liner"),
    "rocket": ("rocket", "rocket", "spaceship", "rocket ship", "spacecraft/spacecraft"),
    "ufo": ("ufo", "ufo", "flying saucer", "alien ship"),
    "car": ("car", "car", "automobile", "old car"),
    "train": ("train", "train", "steam train", "locomotive", "steam engine"),
    "balloon": ("balloon", "hot air balloon", "hot-air balloon", "air balloon"),
    "airplane": ("airplane", "airplane", "plane", "aeroplane", "aircraft/aircraft"),
    "submarine": ("submarine", "submarine", "u-boat"),
    "bicycle": ("bicycle", "bicycle", "bike"),
    "tree": ("tree", "tree", "oak", "oak tree"),
    "pine": ("pine", "pine tree", "fir", "fir tree", "christmas tree", "conifer"),
    "palm": ("palm", "palm tree", "coconut tree", "coconut palm"),
    "cactus": ("cactus/cacti", "cactus/cacti", "saguaro"),
    "mushroom": ("mushroom", "mushroom", "toadstool"),
    "flower": ("flower", "flower", "blossom", "rose", "tulip", "daisy/daisies"),
    "pumpkin": ("pumpkin", "pumpkin", "jack-o-lantern", "halloween pumpkin"),
    "fish": ("fish/fish", "fish/fish", "goldfish/goldfish", "tropical fish/tropical fish"),
    "shark": ("shark", "shark", "great white shark"),
    "whale": ("whale", "whale"),
    "jellyfish": ("jellyfish/jellyfish", "jellyfish/jellyfish", "jelly fish/jelly fish", "medusa"),
    "octopus": ("octopus/octopuses", "octopus/octopuses", "squid", "kraken"),
    "turtle": ("turtle", "turtle", "sea turtle", "tortoise"),
    "crab": ("crab", "crab", "lobster"),
    "seahorse": ("seahorse", "seahorse", "sea horse"),
    "cat": ("cat", "cat", "kitty/kitties", "kitten"),
    "dog": ("dog", "dog", "puppy/puppies", "doggy/doggies", "hound"),
    "rabbit": ("rabbit", "rabbit", "bunny/bunnies", "hare"),
    "horse": ("horse", "horse", "pony/ponies", "stallion"),
    "elephant": ("elephant", "elephant"),
    "giraffe": ("giraffe", "giraffe"),
    "owl": ("owl", "owl", "wise owl"),
    "bird": ("bird", "bird", "songbird", "sparrow"),
    "penguin": ("penguin", "penguin"),
    "butterfly": ("butterfly/butterflies", "butterfly/butterflies", "moth"),
    "snail": ("snail", "snail"),
    "frog": ("frog", "frog", "toad"),
    "dinosaur": ("dinosaur", "dinosaur", "dino", "brontosaurus/brontosauruses"),
    "dragon": ("dragon", "dragon", "fire dragon"),
    "pig": ("pig", "pig", "piglet", "piggy/piggies"),
    "knight": (
        "knight",
        "knight",
        "knight in armour/knights in armour",
        "knight in armor/knights in armor",
        "warrior",
        "paladin",
    ),
    "wizard": ("wizard", "wizard", "sorcerer", "mage", "magician"),
    "robot": ("robot", "robot", "android", "droid"),
    "astronaut": ("astronaut", "astronaut", "spaceman/spacemen", "cosmonaut"),
    "ghost": ("ghost", "ghost", "spirit", "spectre"),
    "snowman": ("snowman/snowmen", "snowman/snowmen"),
    "princess": ("princess/princesses", "princess/princesses", "queen", "lady in a dress/ladies in dresses"),
    "skull": ("skull", "skull", "human skull"),
    "crown": ("crown", "crown", "royal crown"),
    "sword": ("sword", "sword", "blade", "magic sword"),
    "heart": ("heart", "heart", "love heart"),
    "star": ("star", "star", "big star"),
    "apple": ("apple", "apple"),
    "cup": ("cup", "cup", "mug", "cup of coffee/cups of coffee", "coffee cup", "teacup"),
    "book": ("book", "book", "open book"),
    "umbrella": ("umbrella", "umbrella", "parasol"),
    "guitar": ("guitar", "guitar", "acoustic guitar"),
    "key": ("key", "key", "old key"),
    "lantern": ("lantern", "lantern", "lamp"),
    "clock": ("clock", "clock", "alarm clock"),
    "gift": ("gift", "gift", "present", "gift box/gift boxes"),
    "cake": ("cake", "cake", "birthday cake"),
    "lion": ("lion", "lion", "king of the animals/kings of the animals"),
    "bear": ("bear", "bear", "teddy bear", "teddy"),
    "fox": ("fox", "fox", "clever fox"),
    "duck": ("duck", "duck", "rubber duck", "duckling"),
    "bee": ("bee", "bee", "bumblebee", "honey bee"),
    "mermaid": ("mermaid", "mermaid", "sea maiden"),
    "bus": ("bus", "bus", "school bus", "coach"),
    "helicopter": ("helicopter", "helicopter", "chopper"),
    "chest": ("treasure chest", "treasure chest", "treasure", "chest of gold/chests of gold"),
    "icecream": ("ice cream", "ice cream", "ice cream cone", "icecream"),
}
COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "red", "scarlet", "crimson"),
    "orange": ("orange",),
    "yellow": ("yellow", "yellow", "golden"),
    "green": ("green", "green", "emerald"),
    "blue": ("blue", "blue", "azure"),
    "purple": ("purple", "purple", "violet"),
    "pink": ("pink",),
    "brown": ("brown", "brown", "chocolate"),
    "black": ("black", "black", "jet black"),
    "white": ("white",),
    "grey": ("grey", "gray", "silver"),
}
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small", "tiny", "little"),
    "medium": ("medium-sized", "middle-sized"),
    "large": ("large", "big", "huge", "giant"),
}
# Each: phrases put behind the noun, adjectives put before it.
PLACE_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "meadow": (
        (
            "in a meadow",
            "on a hill",
            "on a green hill",
            "on the grass",
            "in the countryside",
            "in a green field",
            "on a meadow",
        ),
        (),
    ),
    "forest": (("in a forest", "in the woods", "in the forest", "among the trees", "deep in a forest"), ("forest",)),
    "desert": (("in the desert", "in a desert", "on sand dunes", "among the dunes", "in the sahara"), ("desert",)),
    "snow": (("in the snow", "in winter", "in a snowy landscape", "in the arctic", "on the snow"), ("snowy", "winter")),
    "beach": (
        ("on the beach", "at the beach", "on a sandy beach", "by the sea", "on the shore", "on an island"),
        ("beach",),
    ),
    "sea": (("on the sea", "at sea", "on the ocean", "on the waves", "in the sea", "on the water"), ()),
    "mountains": (
        ("in the mountains", "in front of mountains", "in the alps", "on a mountain", "among snowy peaks"),
        ("mountain",),
    ),
    "city": (
        ("in the city", "in a city", "in the street", "downtown", "in front of skyscrapers", "in a town"),
        ("urban",),
    ),
    "space": (
        ("in space", "in outer space", "among the stars", "in the galaxy", "in the cosmos", "floating in space"),
        ("cosmic",),
    ),
    "moon": (("on the moon", "on the lunar surface", "on the surface of the moon"), ("lunar",)),
    "underwater": (
        (
            "underwater",
            "under water",
            "under the sea",
            "at the bottom of the sea",
            "on the ocean floor",
            "in the deep sea",
            "beneath the waves",
        ),
        ("underwater", "underwater", "undersea", "sub-sea", "submerged"),
    ),
    "cave": (("in a cave", "in a cavern", "in a dark cave", "underground", "in a crystal cave"), ("underground",)),
    "volcano": (
        ("by a volcano", "in front of a volcano", "near an erupting volcano", "among lava", "in a lava land"),
        ("volcanic",),
    ),
    "room": (("in a room", "indoors", "inside a house", "in a cosy room", "in the living room"), ("indoor",)),
    "flowers": (
        ("in a field of flowers", "among flowers", "in a flower field", "in a flower garden", "in a garden"),
        (),
    ),
    "clouds": (("in the clouds", "above the clouds", "in the sky", "on a cloud", "high in the sky"), ()),
    "graveyard": (("in a graveyard", "in a cemetery", "among gravestones", "in a spooky graveyard"), ("spooky",)),
}
TIME_WORDS: dict[str, tuple[str, ...]] = {
    "day": ("by day", "in the daytime", "at noon", "on a sunny day", "during the day", "in daylight"),
    "sunset": ("at sunset", "in the evening", "at dusk", "in the evening sun", "with a sunset"),
    "night": ("at night", "by night", "at midnight", "in the moonlight", "in the dark", "in the night"),
    "dawn": ("at dawn", "at sunrise", "in the early morning", "in the morning"),
}
WEATHER_WORDS: dict[str, tuple[str, ...]] = {
    "clear": (),
    "rain": ("in the rain", "on a rainy day", "with rain", "in a storm"),
    "snowfall": ("with falling snow", "in a snowstorm", "while it snows", "in snowfall"),
    "fog": ("in the fog", "in the mist", "with fog", "in a haze"),
    "rainbow": ("with a rainbow", "under a rainbow", "in front of a rainbow"),
}
POSITION_WORDS: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "at the left side", "on the left side"),
    "centre": ("in the middle", "in the centre", "in the center"),
    "right": ("on the right", "at the right side", "on the right side"),
}
# Each: prefixes ("watercolor of a castle"), suffixes (", watercolor"), hashtags.
STYLE_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "picture book": (
        ("a picture book illustration of", "a children's book picture of", "a storybook picture of"),
        ("picture book", "children's book illustration", "storybook style"),
        ("#picturebook", "#storybook"),
    ),
    "pixel art": (
        ("pixel art of", "a pixel art picture of", "an 8-bit picture of"),
        ("pixel art", "pixelart", "8-bit", "in pixel art style", "16-bit"),
        ("#pixelart", "#pixelart", "#8bit"),
    ),
    "pencil sketch": (
        ("a pencil sketch of", "a pencil drawing of", "a sketch of"),
        ("pencil sketch", "pencil drawing", "sketch", "drawn in pencil"),
        ("#pencil", "#sketch"),
    ),
    "watercolor": (
        ("a watercolor of", "watercolor of", "a watercolour painting of"),
        ("watercolor", "watercolour", "watercolor painting", "aquarelle"),
        ("#watercolor", "#watercolour"),
    ),
    "low poly": (
        ("a low poly render of", "low poly art of"),
        ("low poly", "low-poly", "lowpoly", "polygon art"),
        ("#lowpoly",),
    ),
    "neon": (
        ("a neon sign of", "neon art of", "a glowing neon"),
        ("neon", "neon lights", "in neon", "glowing neon"),
        ("#neon",),
    ),
    "oil painting": (
        ("an oil painting of", "oil painting of", "a painting of"),
        ("oil painting", "oil on canvas", "painted in oil", "impressionist"),
        ("#oilpainting", "#oil"),
    ),
    "stained glass": (
        ("a stained glass window of", "stained glass of"),
        ("stained glass", "stained glass window", "church window"),
        ("#stainedglass",),
    ),
    "monochrome": (
        ("a black and white picture of", "a monochrome picture of"),
        ("monochrome", "black and white", "greyscale", "grayscale"),
        ("#monochrome", "#blackandwhite"),
    ),
    "paper cut": (
        ("a paper cut of", "a papercut picture of", "a paper collage of"),
        ("paper cut", "papercut", "cut paper", "paper collage"),
        ("#papercut",),
    ),
    "comic": (
        ("a comic of", "a comic book panel of", "a cartoon of"),
        ("comic", "comic book style", "cartoon", "pop art"),
        ("#comic", "#cartoon"),
    ),
}
NO_INFORMATION = (
    "artstation",
    "trending on artstation",
    "beautiful",
    "highly detailed",
    "4k",
    "masterpiece",
    "digital art",
    "illustration",
    "cute",
    "by a great artist",
    "unreal engine",
)
OPENERS = ("a picture of", "an image of", "picture of", "a scene with", "a drawing of", "there is", "")
_LEFT, _RIGHT = ("left of", "to the left of", "on the left of"), ("right of", "to the right of", "on the right of")
_ABOVE, _BELOW = ("above", "over", "high above"), ("below", "under", "beneath", "underneath")
_ON = ("on", "on", "on top of", "above", "standing on")
_BEFORE, _BEHIND = ("in front of",), ("behind",)
_WITH = ("and", "and", "next to", "beside", "with")
_NUMBERS = {"two": ("two", "2", "a pair of", "two"), "three": ("three", "3", "three")}


class _Choices:
    """Picks that use up one array of uniforms: one call of the generator a caption."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._u = iter(rng.random(40).tolist())

    def chance(self, p: float) -> bool:
        return bool(next(self._u) < p)

    def of(self, options: tuple[str, ...]) -> str:
        return options[int(next(self._u) * len(options))]


def _plural(noun: str) -> str:
    if "/" in noun:
        return noun.split("/")[1]
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _article(words: str) -> str:
    vowel = words[0] in "aeio" or (words[0] == "u" and not words.startswith(("ufo", "u-b", "uni")))
    return f"{'an' if vowel else 'a'} {words}"


def caption(scene: Scene, rng: np.random.Generator) -> tuple[str, dict[str, int]]:
    """A random true caption of the scene and what it states: {attribute: index into ATTRIBUTES[attribute]}.

    Any part may be left out; nothing is stated that the picture can't show (see `attributes`).
    """
    c = _Choices(rng)
    shown = dict(zip(NAMES, attributes(scene).tolist(), strict=True))
    stated: dict[str, int] = {}
    adjectives, tail = _surroundings(scene, shown, stated, c)
    subject = (_pair if scene.relation else _subject)(shown, stated, c, adjectives)
    text = _with_style(scene, shown, stated, c, subject, tail)
    if c.chance(0.07):
        text = text.upper() if c.chance(0.2) else text.capitalize()
    if c.chance(0.06):
        text += "."
    return text, stated


def _value(name: str, shown: dict[str, int]) -> str:
    return ATTRIBUTES[name][shown[name]]


def _surroundings(
    scene: Scene, shown: dict[str, int], stated: dict[str, int], c: _Choices
) -> tuple[list[str], list[str]]:
    """Adjectives before the noun and phrases behind it for place, time, weather and position."""
    adjectives: list[str] = []
    tail: list[str] = []
    if shown["position"] >= 0 and c.chance(0.12):
        stated["position"] = shown["position"]
        tail.append(c.of(POSITION_WORDS[_value("position", shown)]))
    if c.chance(0.6):
        stated["place"] = shown["place"]
        phrases, before = PLACE_WORDS[_value("place", shown)]
        if before and not scene.relation and c.chance(0.3):
            adjectives.append(c.of(before))
        else:
            tail.append(c.of(phrases))
    if shown["time"] >= 0 and c.chance(0.4):
        stated["time"] = shown["time"]
        tail.append(c.of(TIME_WORDS[_value("time", shown)]))
    if scene.weather and c.chance(0.7):
        stated["weather"] = shown["weather"]
        tail.append(c.of(WEATHER_WORDS[_value("weather", shown)]))
    return adjectives, tail


def _noun_phrase(
    thing: str, colour: str | None, before: list[str], c: _Choices, number: str = "one", bare: bool = False
) -> str:
    noun = c.of(THING_WORDS[thing])
    words = [*before, c.of(COLOUR_WORDS[colour])] if colour else list(before)
    if number != "one":
        return " ".join([*words, _plural(noun)])
    phrase = " ".join([*words, noun.split("/")[0]])
    return phrase if bare else _article(phrase)


def _subject(shown: dict[str, int], stated: dict[str, int], c: _Choices, adjectives: list[str]) -> str:
    """Noun phrase of a scene with one kind of thing."""
    stated["thing"] = shown["thing"]
    before: list[str] = []
    if shown["size"] >= 0 and c.chance(0.15):
        stated["size"] = shown["size"]
        before.append(c.of(SIZE_WORDS[_value("size", shown)]))
    before += adjectives
    colour = None
    if shown["colour"] >= 0 and c.chance(0.6):
        stated["colour"] = shown["colour"]
        colour = _value("colour", shown)
    number = COUNTS[shown["count"]]
    if number == "one":
        bare = c.chance(0.3)
        if not bare:
            stated["count"] = shown["count"]
        return _noun_phrase(_value("thing", shown), colour, before, c, bare=bare)
    phrase = _noun_phrase(_value("thing", shown), colour, before, c, number)
    if c.chance(0.9):
        stated["count"] = shown["count"]
        return f"{c.of(_NUMBERS[number])} {phrase}"
    return phrase


def _pair(shown: dict[str, int], stated: dict[str, int], c: _Choices, adjectives: list[str]) -> str:
    """Phrase of a scene with two things: both with their relation, both without, or only one of them."""
    stated["thing"] = shown["thing"]
    colours: list[str | None] = [None, None]
    for k, name in enumerate(("colour", "colour2")):
        if shown[name] >= 0 and c.chance(0.5):
            colours[k] = _value(name, shown)
            stated[name] = shown[name]
    first = _noun_phrase(_value("thing", shown), colours[0], adjectives, c)
    second = _noun_phrase(_value("thing2", shown), colours[1], [], c)
    if c.chance(0.08):
        stated.pop("colour2", None)
        return first
    stated["thing2"] = shown["thing2"]
    if c.chance(0.1):
        return f"{first} {c.of(_WITH)} {second}"
    stated["relation"] = shown["relation"]
    forward, backward = {
        "left of": (_LEFT, _RIGHT),
        "above": (_ABOVE if THINGS[shown["thing"]].floats else _ON, _BELOW),
        "in front of": (_BEFORE, _BEHIND),
    }[_value("relation", shown)]
    if c.chance(0.55):
        return f"{first} {c.of(forward)} {second}"
    return f"{second} {c.of(backward)} {first}"


def _with_style(
    scene: Scene, shown: dict[str, int], stated: dict[str, int], c: _Choices, subject: str, tail: list[str]
) -> str:
    """The whole caption: style before, behind or as a hashtag, fillers that say nothing."""
    parts = [subject, *tail]
    text = " ".join(parts) if c.chance(0.7) else ", ".join(parts)
    prefixes, suffixes, tags = STYLE_WORDS[_value("style", shown)]
    if c.chance(0.6):
        stated["style"] = shown["style"]
        if c.chance(0.35):
            text = f"{c.of(prefixes)} {text}"
        elif c.chance(0.25):
            text = f"{text} {c.of(tags)}" if c.chance(0.6) else f"{c.of(tags)} {text}"
        else:
            text = f"{text}, {c.of(suffixes)}" if c.chance(0.7) else f"{text} {c.of(suffixes)}"
    elif c.chance(0.25):
        text = f"{c.of(OPENERS)} {text}".strip()
    if c.chance(0.1):
        text = f"{text}, {c.of(NO_INFORMATION)}"
    return text


def stated_vector(stated: dict[str, int]) -> NDArray[np.int16]:
    """What a caption states as int16 [len(ATTRIBUTES)], -1 where it says nothing."""
    return np.array([stated.get(name, -1) for name in NAMES], dtype=np.int16)


def _all_phrases() -> list[str]:
    phrases: list[str] = [
        *NO_INFORMATION,
        *OPENERS,
        *_LEFT,
        *_RIGHT,
        *_ABOVE,
        *_BELOW,
        *_ON,
        *_BEFORE,
        *_BEHIND,
        *_WITH,
        "a an one",
    ]
    for nouns in THING_WORDS.values():
        phrases += [noun.split("/")[0] for noun in nouns] + [_plural(noun) for noun in nouns]
    for table in (COLOUR_WORDS, SIZE_WORDS, TIME_WORDS, WEATHER_WORDS, POSITION_WORDS, _NUMBERS):
        for words in table.values():
            phrases += words
    for after, before in PLACE_WORDS.values():
        phrases += [*after, *before]
    for prefixes, suffixes, tags in STYLE_WORDS.values():
        phrases += [*prefixes, *suffixes, *tags]
    return phrases


WORD = re.compile(r"[#a-z0-9][a-z0-9'-]*")
"""A word of a caption in lower case."""
VOCABULARY: frozenset[str] = frozenset(w for phrase in _all_phrases() for w in WORD.findall(phrase.lower()))
"""Every word that captions use, in lower case."""
