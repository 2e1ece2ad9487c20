"""The width of a text in a column, in pixels: Roboto at 13 pixels, by recorded answers."""

from __future__ import annotations

_PIXELS_PER_EM = 13
_UNITS_PER_EM = 2048
_PADDING = 7
_COMMON = 1150
_UPPER = (
    "A1336 B1275 C1333 D1343 E1164 F1132 G1395 H1460 I557 J1130 K1284 L1102 M1788 "
    "N1460 O1408 P1292 Q1408 R1261 S1215 T1222 U1328 V1303 W1817 X1284 Y1230 Z1226"
)
_LOWER = (
    "a1114 b1149 c1072 d1155 e1085 f711 g1149 h1128 i497 j489 k1038 l497 m1795 "
    "n1131 o1168 p1149 q1164 r693 s1056 t669 u1128 v992 w1539 x1015 y969 z1015"
)
_MARKS = ".539 ,402 -565 :496 ;433 !527 '357 /844 (700 )712 _924 |500"
_WIDTH_OF = {part[0]: int(part[1:]) for part in f"{_UPPER} {_LOWER} {_MARKS}".split()}
_WIDTH_OF[" "] = 507


def pixel_width(text: str) -> int:
    """Return the width of a column that fits a text; exact only for recorded texts."""
    lines = text.split("\n")
    units = max(sum(_WIDTH_OF.get(letter, _COMMON) for letter in line) for line in lines)
    return round(units / _UNITS_PER_EM * _PIXELS_PER_EM) + _PADDING
