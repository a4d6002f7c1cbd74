"""Draw a picture and its film, then draw it again from the file alone."""

from text2art_nb import Artwork, draw

city = draw("an underwater city", size=(144, 144), iterations=20, seed=7, out="city.png", video="city.gif")
print(f"city.png: score {city.score:.3f}")

recipe = Artwork.open("city.png").settings  # every PNG, JPEG, GIF, MP4 and SVG carries its settings
again = draw(recipe)
print("the same picture:", again.image.tobytes() == city.image.tobytes())
