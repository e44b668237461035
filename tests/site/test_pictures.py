"""Pictures of a site: lighter than what the cells gave, and the same to the last pixel."""

import hashlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from neuroprimer.teaching.publish.pictures import LIGHT_BYTES, lighten_pictures, pixel_digest


def png_of(pixels):
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def slice_like(size, *, alpha=255):
    """Return RGBA pixels that are as uneven as those of a brain."""
    grey = np.random.default_rng(7).normal(128, 20, (size, size)).astype(np.uint8)
    return np.dstack([grey, grey, grey, np.full_like(grey, alpha)])


class Pages:
    """A site of one page that shows pictures."""

    def __init__(self, folder):
        self.folder, self.page = folder, folder / "lessons" / "a.html"
        self.page.parent.mkdir(parents=True)
        (folder / "_images").mkdir()
        self.page.write_text("<p>A</p>")

    def add(self, content, name=None):
        name = name or f"{hashlib.sha256(content).hexdigest()}.png"
        (self.folder / "_images" / name).write_bytes(content)
        with self.page.open("a") as page:
            page.write(f'<img src="../_images/{name}">')

    def pictures(self):
        return {file.name: file.read_bytes() for file in (self.folder / "_images").iterdir()}


@pytest.fixture
def pages(tmp_path):
    return Pages(tmp_path / "new")


@pytest.fixture
def nowhere(tmp_path):
    return tmp_path / "nowhere"


@pytest.mark.parametrize("alpha", [255, 100])
def test_large_pictures_take_less_room_and_show_the_same(pages, nowhere, alpha):
    pixels = slice_like(300, alpha=alpha)
    heavy = png_of(pixels)
    pages.add(heavy)

    lighten_pictures(pages.folder, nowhere)

    [(name, light)] = pages.pictures().items()
    assert name.endswith(".webp")
    assert len(light) < 0.8 * len(heavy)
    # what it shows, told by numpy and not by ourselves
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(light)).convert("RGBA")), pixels)
    assert f'src="../_images/{name}"' in pages.page.read_text()
    assert ".png" not in pages.page.read_text()


def test_small_pictures_and_those_that_are_no_cells_stay(pages, nowhere):
    pages.add(png_of(slice_like(20)))
    pages.add(png_of(slice_like(300)), "front-picture.png")
    before, text = pages.pictures(), pages.page.read_text()

    lighten_pictures(pages.folder, nowhere)

    assert pages.pictures() == before
    assert pages.page.read_text() == text


def deep_picture():
    """Return a PNG file of 16 bits, of which WebP would keep eight."""
    return png_of(np.random.default_rng(7).integers(0, 65536, (200, 200), dtype=np.uint16))


def coloured_picture():
    """Return a PNG file that tells how its colours are meant."""
    stream = BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.fromarray(slice_like(300)).save(stream, "PNG", icc_profile=profile)
    return stream.getvalue()


def moving_picture():
    stream = BytesIO()
    first, second = (Image.fromarray(slice_like(300, alpha=alpha)) for alpha in (255, 100))
    first.save(stream, "PNG", save_all=True, append_images=[second])
    return stream.getvalue()


HEAVY_FOR_GOOD = {
    "no picture": b"\x89PNG\r\n\x1a\n" + bytes(40_000),
    "damaged": png_of(slice_like(300))[:50_000],
    "deep": deep_picture(),
    "with its own colours": coloured_picture(),
    "moving": moving_picture(),
    "too high for WebP": png_of(
        np.random.default_rng(7).integers(0, 256, (16_400, 10), dtype=np.uint8)
    ),
}


@pytest.mark.parametrize("content", HEAVY_FOR_GOOD.values(), ids=HEAVY_FOR_GOOD.keys())
def test_what_would_lose_something_stays_as_it_is(pages, nowhere, content):
    assert len(content) > LIGHT_BYTES
    pages.add(content)
    before, text = pages.pictures(), pages.page.read_text()

    lighten_pictures(pages.folder, nowhere)

    assert pages.pictures() == before
    assert pages.page.read_text() == text


def test_picture_of_the_last_site_is_taken_over_only_if_it_shows_the_same(
    pages, nowhere, monkeypatch
):
    last = Pages(nowhere)
    for pixels in (slice_like(300), slice_like(310)):
        pages.add(png_of(pixels))
        last.add(png_of(pixels))
    lighten_pictures(last.folder, nowhere / "no-site")
    packed = last.pictures()
    damaged, whole = sorted(packed)
    (nowhere / "_images" / damaged).write_bytes(packed[damaged][:1000])
    packing = []
    monkeypatch.setattr(
        Image.Image,
        "save",
        lambda *_, save=Image.Image.save, **more: (packing.append(1), save(*_, **more)),
    )

    lighten_pictures(pages.folder, last.folder)

    assert len(packing) == 1
    assert pages.pictures() == packed
    assert whole in pages.pictures()


def test_other_pixels_have_another_digest():
    pixels = slice_like(50)
    changed = pixels.copy()
    changed[20, 30, 1] += 1

    assert pixel_digest(png_of(pixels)) != pixel_digest(png_of(changed))
    assert pixel_digest(png_of(pixels)) != pixel_digest(png_of(pixels.reshape(25, 100, 4)))
