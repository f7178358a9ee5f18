"""Decode a picture file, small and upright. Pillow only, so that a child process can run this file by itself.

Formats that Pillow decodes in little code are read in this process. HEIC, AVIF and TIFF have large decoders and go to
a child under limits of memory and time: ``python decoding.py < file`` writes a head line, ``RGB 640 480``, and pixels.
"""

import io
import subprocess
import sys
import threading
import warnings

from PIL import Image, ImageChops, ImageOps, ImageStat

HERE = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
APART = ("AVIF", "TIFF")
HEIF = ("HEIF",)  # registered with Pillow in the child alone
MOST_PIXELS = 25_000_000
MOST_SIDE = 20_000  # Pillow keeps a pointer for every row: a picture of one column takes far more than its pixels
MOST_SCANS = 50  # a JPEG has ten; each is a walk over all pixels, and one of 0.2 MB can ask for a minute of them
MOST_FRAMES = 200
START_OF_SCAN = b"\xff\xda"
LONGEST = 1000  # larger pictures are made smaller: a digit needs no more

MOST_MEMORY = 1536 * 2**20  # of a child; 25 million pixels with their alpha and a copy are 200 MB
MOST_CPU_S = 20
SECONDS = 30.0
MODES = {"L": 1, "RGB": 3, "RGBA": 4, "F": 4}  # what is handed on, with the bytes of a pixel
UNREADABLE, TOO_LARGE, TOO_LONG, NOT_INSTALLED, DAMAGED = 10, 11, 12, 13, 14  # exit codes

_two_at_a_time = threading.Semaphore(2)

# For the whole process and not around each call: warnings.catch_warnings is not safe among threads.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class Refused(Exception):
    """The file is not decoded; ``code`` is one of the exit codes above."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def decode(content: bytes) -> Image.Image:
    """Return the picture: mode L, RGB, RGBA or F, turned as its EXIF says, at most 1,000 pixels a side.

    Of an animation it is the frame with most drawn on it, of a TIFF the first page.

    Raises
    ------
    Refused
    """
    if content[4:8] == b"ftyp" or content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _decode_apart(content)
    return _decode(content, HERE)


def _decode(content: bytes, formats: tuple[str, ...]) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=formats) as picture:
            if picture.width * picture.height > MOST_PIXELS or max(picture.size) > MOST_SIDE:
                raise Refused(TOO_LARGE)
            if picture.format in ("JPEG", "MPO"):
                if content.count(START_OF_SCAN) > MOST_SCANS * getattr(picture, "n_frames", 1):
                    raise Refused(DAMAGED)
                picture.draft(None, (LONGEST, LONGEST))  # decoded at a fraction of its size
            elif picture.format in ("GIF", "PNG", "WEBP", "AVIF"):
                picture = finished(picture)
            return _handed_on(ImageOps.exif_transpose(picture))
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(TOO_LARGE) from error
    except Image.UnidentifiedImageError as error:
        raise Refused(DAMAGED if formats == HEIF else UNREADABLE) from error  # its first bytes said what it is
    except Exception as error:  # Pillow's decoders raise whatever they come upon in a damaged file
        raise Refused(DAMAGED) from error


def finished(picture: Image.Image) -> Image.Image:
    """Return the frame of an animation with most on it, the last of equals; a still picture as it is."""
    if not getattr(picture, "is_animated", False):
        return picture
    best, most, n_pixels = picture, -1.0, 0
    for n in range(MOST_FRAMES):
        try:
            picture.seek(n)
        except EOFError:
            return best
        n_pixels += picture.width * picture.height
        if n_pixels > 2 * MOST_PIXELS:
            break
        drawn = _drawn(picture)
        if drawn >= 0.98 * most:
            best, most = picture.copy(), max(drawn, most)
    raise Refused(TOO_LONG)


def _drawn(picture: Image.Image) -> float:
    """Say how much of a frame differs from its corner."""
    small = picture.convert("RGBA")
    small.thumbnail((128, 128))
    corner = Image.new("RGBA", small.size, small.getpixel((0, 0)))  # type: ignore[arg-type]
    return sum(ImageStat.Stat(ImageChops.difference(small, corner)).mean)


def _handed_on(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):  # more than 8 bits a pixel, which a conversion to RGB would cut off
        picture = picture.convert("F")
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
    else:
        picture = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    picture.thumbnail((LONGEST, LONGEST))
    return picture


# -- in a process of its own ------------------------------------------------------------------------------------------


def _decode_apart(content: bytes) -> Image.Image:
    """Let a child decode; what it writes is only pixels, and of no more than it may."""
    from tlcore.machine.affinity import anywhere  # the child runs this file alone

    with _two_at_a_time, anywhere():
        try:
            done = subprocess.run(
                [sys.executable, "-P", __file__], input=content, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Refused(DAMAGED) from error
    if done.returncode:
        raise Refused(done.returncode if UNREADABLE <= done.returncode <= DAMAGED else DAMAGED)
    head, _, pixels = done.stdout.partition(b"\n")
    try:
        mode, width, height = head.decode("ascii").split()
        size = int(width), int(height)
        if not (min(size) > 0 and max(size) <= LONGEST and len(pixels) == size[0] * size[1] * MODES[mode]):
            raise ValueError("not the pixels that it announces")
        return Image.frombytes(mode, size, pixels)
    except (ValueError, KeyError) as error:
        raise Refused(DAMAGED) from error


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit of the caller is all there is
        return
    limits = {
        resource.RLIMIT_AS: MOST_MEMORY,
        resource.RLIMIT_CPU: MOST_CPU_S,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _serve() -> int:
    """Decode what stands on standard input; return the exit code."""
    _limit()
    content, formats = sys.stdin.buffer.read(), APART
    if content[4:8] == b"ftyp" and content[8:12] not in (b"avif", b"avis"):
        try:
            import pi_heif
        except ImportError:
            return NOT_INSTALLED
        pi_heif.register_heif_opener()
        formats = HEIF
    try:
        picture = _decode(content, formats)
    except Refused as refused:
        return refused.code
    sys.stdout.buffer.write(f"{picture.mode} {picture.width} {picture.height}\n".encode() + picture.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(_serve())
