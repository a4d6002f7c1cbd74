"""matplotlib's colour maps and colour names, so that `mat:viridis` means the same where matplotlib isn't installed.

The values are those of matplotlib 3.11 (matplotlib.org, its licence is BSD-compatible; viridis and its kin are CC0, the
Brewer maps by Cynthia Brewer, Apache 2.0). Smooth maps are kept as the few points between which straight lines stay
within 4 of 255 of the original; `flag` and `prism`, which do nothing but flicker, are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

_SMOOTH = """
afmhot 00000000 40800000 7ffe7e00 bffffe7f ffffffff; autumn 00ff0000 ffffff00; berlin 009eb0ff 1b5da5dd 264497c6
333280a6 56194153 6c101f26 7f180c0a 8b250c01 a84d1602 b86c2711 cc964a36 ffffadad; binary 00ffffff ff000000; Blues
00f7fbff 40c6dbef 609dcae1 8366abd4 be2272b6 df08519c ff08306b; bone 00000000 5a4f4f6e bca4c4c4 ffffffff; BrBG
00543005 198b500a 33bf812d 4ddfc37e 66f6e8c3 80f4f5f5 99c7eae5 b281cec2 cc35978f e502675f ff003c30; brg 000000ff
7ffe0001 ff00ff00; BuGn 00f7fcfd 20e5f5f9 40ccece6 6098d8c9 8065c2a3 9e43af78 bf238b45 df006d2c ff00441b; BuPu
00f7fcfd 23ddeaf3 669ab4d6 7f8c97c6 be88439e df810f7c ff4d004b; bwr 000000ff 7ffefeff ffff0000; cividis 0000224e
16003171 23203a6f 3538476c 98938e78 cbc7b767 eae9d34e fbfde334 fffee838; CMRmap 00000000 20262680 404d26bf 5f973381
80ff4126 9fe67f00 bee6bd18 dfe6e57f ffffffff; cool 0000ffff ffff00ff; coolwarm 003b4cc0 25688aef 3f8caffe 62bbd1f8
7fdcdddd a0f5c4ac bef59c7d d3e9785d efcb3e38 f7c0282f ffb40426; copper 00000000 cafa9e64 cfffa267 ffffc77f; cubehelix
00000000 16191129 251a2543 32163b4e 4216574b 4e206840 5d3c7632 6f6f7b31 81a4794c 95cc7c86 a5d589b8 b1d09ad7 bacaa9e7
c9c2c5f3 dbc6e1f1 f0e3f6f0 ffffffff; gist_earth 00000000 0101002b 06040064 08050274 3020597b 4930817e 774a9b46
8e7ca753 b2b7b75e c8c0a465 d4cdaa82 e5e0bdad f5f2dedd fffdfbfb; gist_gray 00000000 ffffffff; gist_heat 00000000
7fbe0000 a9fe5300 bfff7f00 ffffffff; gist_ncar 00000080 0d005f06 1b0000ee 1c000eff 2800b8ff 2a00c6ff 3400f2ff 3700ffeb
4300fa9d 4f00fe1f 5213fb00 5e60ce00 6a7cf500 6d84ff0c 79bbff3c 86f6fd08 88fff800 94ffda00 a1ffba0e afff4701 bcff0a00
beff0023 caff00f8 cbf803fc d89f33fe e5eb80ee fffef8fe; gist_rainbow 00ff0029 08ff0200 37feff00 6600ff00 9500fffd
c40002ff f3fe00ff ffff00bf; gist_stern 00000000 0eff0e1c 3f0b3f7e 40404080 7f7f7ffe b9b9b90a bcbcbc02 ffffffff; GnBu
00f7fcf0 40ccebc5 5fa9ddb5 807accc4 a04db2d3 df0868ac ff084081; gnuplot 00000000 01100006 0217000d 09300038 164b0084
225d01be 327102f1 3e7e04ff 448405fe 4d8c07f2 5b980cc8 68a3118c 80b52000 a2cb4100 c6e17700 e4f1b600 ffffff00; gnuplot2
00000000 400100ff 6b8700ff 91fe4cb3 eafffe01 ecffff11 ffffffff; Grays 00ffffff 26ececec 5fbebebe c1505050 df252525
ff000000; Greens 00f7fcf5 20e5f5e0 41c6e8bf 8073c476 a040aa5d df006d2c ff00441b; hot 000b0000 5dff0000 befffe00
ffffffff; hsv 00ff0000 28ffec00 2df4ff00 5508ff00 5b00ff1b 8100fffc aa0010ff ae0800ff d7f800fd dbff00ed ffff0018;
inferno 00000004 130e092b 282f0a5b 33420a68 4057106e 69982766 92d44842 acef6c23 c2fa9207 c9fc9f07 d1fcae12 e1f8cd37
f4f1f179 fffcffa4; jet 00000080 1c0000ff 200000ff 5600d8ff 5a02e8f4 6016ffe1 a3eeff09 a6f8f500 a9ffea00 e3ff1300
e8e80000 ff800000; magma 00000004 1b160f3b 3036106b 3e4e117b 69912b81 95d8456c acf2645c c0fc8961 d8feb67c fffcfdbf;
managua 00ffcf67 1eda9654 46a85940 69733039 7d5a2846 8e4e315e a84d5290 bd5672b1 d56498ce ff81e7ff; nipy_spectral
00000000 0d770088 19870098 1a83009a 260300aa 330000dd 400078dd 4c0098dd 5900aaab 6600aa88 73009a00 9900ff00 a6bcff00
b3efed00 bfffcd00 ccff9900 d9fe0000 e5de0000 f2cc0000 ffcccccc; ocean 00008000 55000055 aa0080aa ffffffff; Oranges
00fff5eb 20fee6ce 3ffdd1a3 60fdae6a 80fd8c3b 9ff16913 c0d84801 dfa63603 ff7f2704; OrRd 00fff7ec 3efdd5a0 5bfdbf88
81fb8b58 a0ef6447 bdd93422 dfb30000 ff7f0000; pink 001e0000 05351d1d 15603c3c 308d5a5a 5dc27e7e 85d2b296 bce8e7b3
ffffffff; PiYG 008e0152 19c41a7c 34df79b0 4df1b7da 65fddeee 7ff7f7f7 99e6f5d0 b4b5df82 cc7fbc41 e64c9121 ff276419;
plasma 000d0887 0720068f 1f4b03a1 418004a8 5ba31e9a 8ad5536f adef7c51 cafca338 e0fdc527 fbf2f227 fff0f921; PRGn
0040004b 1a772b84 339970ab 48bb9cc9 65e6d2e7 7ff7f6f7 99d9f0d3 b3a5da9f cb5db063 e51c7938 ff00441b; PuBu 00fff7fb
1fede7f2 4dbfc9e1 659ebad9 8962a2cb a0358fc0 bf0570b0 e004598c ff023858; PuBuGn 00fff7fb 1fede3f0 40d0d1e6 5fa7bddb
8066a9cf 9e3891c1 bf02818a de016d5b ff014636; PuOr 007f3b08 1ab45906 33e08214 4dfdb965 67fee1b9 7ff7f7f6 99d8daeb
b4afa8d0 cc8073ac e5552889 ff2d004b; PuRd 00f7f4f9 1fe7e2ef 5fc995c7 7cdd6ab3 a0e72989 c0cd1256 df980043 ff67001f;
Purples 00fcfbfd 22eeecf4 40dadaeb 5fbdbedc a17f7bb9 ff3f007d; rainbow 008000ff 23396bf9 4000b5eb 5e3dead5 7b76ffb9
8890feab 9bb6f193 acd9da7d bffeb562 dcff6b37 ffff0000; RdBu 0067001f 1ab3192c 33d6604d 47ee9677 66fddbc7 80f6f7f7
99d1e5f0 b293c6de cc4393c3 e62065ab ff053061; RdGy 0067001f 1ab3192c 36da6853 4ef5a886 62fcd3bc 7ffffefe 9adfdfdf
b2bbbbbb ff1a1a1a; RdPu 00fff7f3 41fcc4c0 5ffaa0b5 80f767a1 a1db3196 bfae017e ff49006a; RdYlBu 00a50026 19d62f27
33f46d43 4cfdad60 66fee090 80feffc0 99e0f3f8 b2acdae9 cb76afd2 e54676b5 ff313695; RdYlGn 00a50026 19d62f27 33f46d43
4cfdad60 66fee08b 80feffbe 99d9ef8b b0abdb6d cb69be63 e51b9950 ff006837; Reds 00fff5f0 20fee0d2 3bfcc1a8 7cfb6e4e
9ef03d2d bfcb181d dda81016 ff67000d; seismic 0000004c 400101ff 7ffdfdff bfff0101 ff800000; Spectral 009e0142 19d43d4f
33f46d43 4cfdad60 66fee08b 80ffffbe 99e6f598 b2acdda4 cc66c2a5 e53389bd ff5e4fa2; spring 00ff00ff ffffff00; summer
00008066 ffffff66; terrain 00333399 260098fe 4001cc66 7ffdff99 bf805c54 ffffffff; turbo 0030123b 0a3b2f80 164451bf
244776ee 304294ff 3c2fb2f4 4a1ad2d2 551ae4b6 6238f491 7a92ff47 81a7fc3a 89bcf534 9eebd339 abfbb838 bafe9029 ceed5510
dadc3b07 edb21a01 ff7a0403; twilight 00e2d9e2 10c2ced4 2093b4c6 307196c1 3f6277bb 525e4caa 5a5c389d 65551f7f 743d114e
7f301437 84341238 94561546 a47f2350 b6a54350 cabe705b dbca9a7d f1dacbc5 f7dfd4d6 ffe2d9e2; twilight_shifted 00301437
0a3c114b 17511a75 235b3298 2e5e4dab 42637abb 4f7196c1 5a86aac4 67aac2cc 74d0d4d9 7bddd9e0 82e1d8df 8ddacbc5 a3ca9a7d
b1c1775f c4ac4c50 da802350 e4681a4d f243123e ff2f1436; vanimo 00ffcdfd 22ca73b9 40923e80 58542148 682f1728 7d1a1414
8a1a1a11 9a232d14 be506e25 d7719b39 ec96cb62 ffbefda5; viridis 00440154 1e472a7a 3a3e4c8a 7d218e8d 9922a884 ae3bbb75
c160ca60 f0d8e219 f6e7e419 fffde725; winter 000000ff ff00ff80; Wistia 00e4ff7a 41ffe719 7fffbd00 fffc7f00; YlGn
00ffffe5 1ff7fcba 40d9f0a3 61abdc8d 7c7ec97b a040aa5c bf238443 df006837 ff004529; YlGnBu 00ffffd9 20edf8b1 3fc8e9b4
5f80cebb 8040b5c4 9f1d91c0 bf225ea8 df253494 ff081d58; YlOrBr 00ffffe5 20fff7bc 40fee390 61fec24d 80fe9829 99f07818
c0cb4b02 df993404 ff662506; YlOrRd 00ffffcc 40fed976 61feb04b 7ffd8e3c a0fc4d2a bfe31a1c d6c80723 dfbd0026 ff800026
"""

_LISTED = """
Accent 7fc97f beaed4 fdc086 ffff99 386cb0 f0027f bf5b17 666666; Dark2 1b9e77 d95f02 7570b3 e7298a 66a61e e6ab02 a6761d
666666; okabe_ito 000000 e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7; Paired a6cee3 1f78b4 b2df8a 33a02c fb9a99
e31a1c fdbf6f ff7f00 cab2d6 6a3d9a ffff99 b15928; Pastel1 fbb4ae b3cde3 ccebc5 decbe4 fed9a6 ffffcc e5d8bd fddaec
f2f2f2; Pastel2 b3e2cd fdcdac cbd5e8 f4cae4 e6f5c9 fff2ae f1e2cc cccccc; Set1 e41a1c 377eb8 4daf4a 984ea3 ff7f00
ffff33 a65628 f781bf 999999; Set2 66c2a5 fc8d62 8da0cb e78ac3 a6d854 ffd92f e5c494 b3b3b3; Set3 8dd3c7 ffffb3 bebada
fb8072 80b1d3 fdb462 b3de69 fccde5 d9d9d9 bc80bd ccebc5 ffed6f; tab10 1f77b4 ff7f0e 2ca02c d62728 9467bd 8c564b e377c2
7f7f7f bcbd22 17becf; tab20 1f77b4 aec7e8 ff7f0e ffbb78 2ca02c 98df8a d62728 ff9896 9467bd c5b0d5 8c564b c49c94 e377c2
f7b6d2 7f7f7f c7c7c7 bcbd22 dbdb8d 17becf 9edae5; tab20b 393b79 5254a3 6b6ecf 9c9ede 637939 8ca252 b5cf6b cedb9c
8c6d31 bd9e39 e7ba52 e7cb94 843c39 ad494a d6616b e7969c 7b4173 a55194 ce6dbd de9ed6; tab20c 3182bd 6baed6 9ecae1
c6dbef e6550d fd8d3c fdae6b fdd0a2 31a354 74c476 a1d99b c7e9c0 756bb1 9e9ac8 bcbddc dadaeb 636363 969696 bdbdbd d9d9d9
"""

# Of its colour names those that CSS doesn't have: the letters, and Tableau's.
_NAMES = """
b 0000ff; g 008000; r ff0000; c 00bfbf; m bf00bf; y bfbf00; k 000000; w ffffff; tab:blue 1f77b4; tab:orange ff7f0e;
tab:green 2ca02c; tab:red d62728; tab:purple 9467bd; tab:brown 8c564b; tab:pink e377c2; tab:gray 7f7f7f; tab:grey
7f7f7f; tab:olive bcbd22; tab:cyan 17becf; C0 1f77b4; C1 ff7f0e; C2 2ca02c; C3 d62728; C4 9467bd; C5 8c564b; C6 e377c2;
C7 7f7f7f; C8 bcbd22; C9 17becf
"""

_SAME = {"gray": "gist_gray", "grey": "gist_gray", "gist_grey": "gist_gray", "gist_yarg": "binary"}
_SAME |= {"gist_yerg": "binary", "Greys": "Grays"}


@dataclass(frozen=True)
class ColourMap:
    """A map from 0..1 to colours: straight lines between `stops`; or, where it is listed, nothing but these colours.

    positions: of the stops, 0..1, rising; stops: as six hexadecimal digits.
    """

    positions: tuple[float, ...]
    stops: tuple[str, ...]
    listed: bool


@cache
def colour_maps() -> Mapping[str, ColourMap]:
    """The maps by matplotlib's names, those that end in _r, which run the other way, with them."""
    maps = {}
    for entry in _SMOOTH.split(";"):
        name, *points = entry.split()
        maps[name] = ColourMap(
            tuple(int(point[:2], 16) / 255 for point in points), tuple(point[2:] for point in points), listed=False
        )
    for entry in _LISTED.split(";"):
        name, *colours = entry.split()
        places = tuple(index / (len(colours) - 1) for index in range(len(colours)))
        maps[name] = ColourMap(places, tuple(colours), listed=True)
    maps |= {name: maps[same] for name, same in _SAME.items()}
    return MappingProxyType(maps | {f"{name}_r": _reversed(each) for name, each in maps.items()})


@cache
def letters_and_tableau() -> Mapping[str, str]:
    """matplotlib's names of colours that are not CSS's, and their six hexadecimal digits."""
    return MappingProxyType(dict(entry.split() for entry in _NAMES.split(";")))


def _reversed(forth: ColourMap) -> ColourMap:
    return ColourMap(tuple(1 - place for place in forth.positions[::-1]), forth.stops[::-1], forth.listed)
