"""The filters behind which every attack of this study is measured, and when it counts as a success there.

The attacks that expect filters expect those of `KNOWN`; no attack has gradients of those of `HELD_OUT`.
"""

from adversarial_attack.filters import (
    IDENTITY,
    bilateral,
    down_and_up,
    gaussian_blur,
    jpeg,
    median,
    webp,
)

SIGMAS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
QUALITIES = (90, 75, 50, 30)
KNOWN = {
    "none": lambda height, width: IDENTITY,
    **{f"blur {sigma:g}": lambda h, w, sigma=sigma: gaussian_blur(h, w, sigma) for sigma in SIGMAS},
    **{f"JPEG {quality}": lambda h, w, quality=quality: jpeg(quality) for quality in QUALITIES},
    "half size": lambda height, width: down_and_up(height, width, 0.5),
}
HELD_OUT = {
    "median 3": lambda height, width: median(3),
    "median 5": lambda height, width: median(5),
    "WebP 80": lambda height, width: webp(80),
    "WebP 50": lambda height, width: webp(50),
    "bilateral": lambda height, width: bilateral(),
}
FILTER_SET = KNOWN | HELD_OUT

# The sets of filters over which a joint success is counted; the first two are those of the targets.
TO_SIGMA_2 = [
    "none", "blur 0.5", "blur 1", "blur 1.5", "blur 2", "JPEG 90", "JPEG 75", "JPEG 50", "half size",
]  # fmt: skip
TO_SIGMA_3 = [*TO_SIGMA_2, "blur 2.5", "blur 3"]
UNSEEN = list(HELD_OUT)
