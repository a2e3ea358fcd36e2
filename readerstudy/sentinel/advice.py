"""What a family of cues is called, and how to remove one. No text says which class differs."""

from __future__ import annotations

from readerstudy.sentinel import cues

LABELS = {
    cues.ADDRESS: "Address and token",
    cues.HEADER: "Headers",
    cues.LENGTH: "Length on the wire",
    cues.SHAPE: "Shape and type",
    cues.FIELDS: "Fields of the page",
    cues.ORDER: "Order",
    cues.TIME: "Response time",
    cues.COMB: "Grey-level comb",
    cues.BACKGROUND: "Border and background",
    cues.SLICES: "Slices",
    cues.NOISE: "Noise",
    cues.EXTENT: "Extent",
}
ADVICE = {
    cues.ADDRESS: "Addresses must be drawn at random. Something gives them a part that goes with "
    "the classes: look for a custom token or a proxy that rewrites addresses.",
    cues.HEADER: "Remove the header, or give it one value for all cases. Names of files, dates, "
    "ETags and proxies are the usual sources; a web server in front of this one may add them.",
    cues.LENGTH: "Prepare the images again: every stored part is padded to one length for each "
    "series. If a proxy compresses again or cuts the padding, switch that off for /i/.",
    cues.SHAPE: "Prepare the images again, so that all come on one grid, as one type, in one "
    "container. If it stays, one class was stored by another version: import it again.",
    cues.FIELDS: "A field of the reading page goes with the classes. Take it away, or give it "
    "one value for all cases; look at windows and presets set by case.",
    cues.ORDER: "The order tells the classes apart. Clone the study and lock it again, so that a "
    "new order is drawn; state strata and the longest run in the design.",
    cues.TIME: "One class takes longer to arrive. Keep all images on one disk, prepared before "
    "reading, behind the same caches; then run the sentinel again on a quiet machine.",
    cues.COMB: "The grey levels of some images have gaps. Bring all series to one bit depth "
    "before import, or import from the source files and not from exported pictures.",
    cues.BACKGROUND: "The background differs. Mask all images by the same rule, or crop them to "
    "one field of view, then import them again.",
    cues.SLICES: "Slices are missing between others. Import complete stacks, or cut all to one "
    "number of slices.",
    cues.NOISE: "How much noise an image holds is image content, and what readers are asked to "
    "judge. It is told here so that nobody is surprised by it in the discussion.",
    cues.EXTENT: "How large the head is and where it ends is image content. It is told for "
    "information; a common crop makes it alike.",
}
