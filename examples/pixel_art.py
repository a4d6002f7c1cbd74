"""Draw a sprite in a palette, and let the pixel drawer go on where the VQGAN ended."""

from text2art_nb import draw

fish = draw(
    "a fish #pixelart", drawer="pixel", palette="pico-8", pixel_size="24x24", size=(144, 144), iterations=20, seed=2
)
fish.save("fish.png")  # an indexed PNG
fish.sprite.save("fish-sprite.png")  # one pixel a cell

draw("a castle at night", drawer="vqgan -> pixel", size=(144, 144), iterations=20, seed=2, out="castle.png")
