"""Codes for what a coordinator should know about an image that did come in."""

POSITION_UNKNOWN = "position_unknown"
MONOCHROME1 = "monochrome1"
LOSSY = "lossy"
PADDED = "padded"

LABELS: dict[str, str] = {
    POSITION_UNKNOWN: "Position and side in the patient unknown",
    MONOCHROME1: "Stored inverted: high values are dark",
    LOSSY: "From lossy compressed images",
    PADDED: "Padded outside the field of view",
}
