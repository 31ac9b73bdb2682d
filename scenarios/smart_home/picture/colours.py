"""Colour roles of a home: light theme, dark theme."""

from lam_env.envs.scene import Roles

COLOURS: Roles = {
    "grass": ("cfe0c6", "17241f"),
    "wall": ("3d4654", "0b0e14"),
    "wallpaper": ("f6eedf", "d6cfc2"),
    "floor": ("ddbf95", "b0946f"),
    "floor_line": ("cba97b", "9c8160"),
    "tile": ("d3e0e8", "a3b5c0"),
    "tile_line": ("bfd0da", "8fa3af"),
    "rug": ("b5524a", "8f453f"),
    "dim": ("f3b45c", "e09a48"),
    "glass": ("a8d4ee", "86b9d8"),
    "blind": ("8fa7c4", "7188a6"),
    "furniture": ("c49a6c", "9a7b59"),
    "furniture_line": ("7d5f3f", "5a4630"),
    "cloth": ("fbf8f1", "e0dbd0"),
    "metal": ("aeb8c3", "8b96a5"),
    "device": ("4a5361", "2a3140"),
    "device_off": ("98a1ad", "788394"),
    "screen": ("4fb3ff", "5cbcff"),
    "steam": ("ffffff", "e8f0f7"),
    "water": ("5aa9dd", "5fb0e4"),
    "skin": ("f3cfae", "eec7a4"),
    "asleep": ("5a5fa8", "a9aef5"),
}
