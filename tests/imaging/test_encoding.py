import gzip
import io
import shutil
import subprocess
import zlib

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.imaging.encoding import (
    DISPLAY_RULE,
    LinearRule,
    bucket_length,
    chunk_bytes,
    compress,
    encode_display,
    encode_linear,
    pad,
    plan_chunks,
    source_quantum,
)

INSIDE = np.zeros((10, 60, 60), bool)
INSIDE[:, 5:55, 5:55] = True


def continuum(seed=1):
    """Smooth density between 100 and 300."""
    return np.random.default_rng(seed).beta(3, 3, INSIDE.shape) * 200 + 100


def comb(levels, period):
    """Strength of a periodic pattern in the frequencies of grey levels, 0 (none) to 1."""
    return abs(np.exp(2j * np.pi * levels.astype(float) / period).mean())


def test_range_type_and_background():
    array = continuum()
    array[5, 30, 30:40] = (-5000, *[9000] * 9)
    encoded = encode_display(array, INSIDE, quantum=3.0, seed=1)
    assert encoded.dtype == np.int16
    assert not encoded[~INSIDE].any()
    assert encoded[INSIDE].min() == 1
    assert encoded[INSIDE].max() == 4095


def test_percentiles_map_to_their_levels():
    array = continuum()
    low, high = np.percentile(array[INSIDE], [10, 90])
    encoded = encode_display(array, INSIDE, quantum=0.0, seed=1)
    exact = 400 + (array - low) / (high - low) * 800
    assert np.abs(encoded - exact)[INSIDE].max() <= 0.5


def test_bright_vessels_do_not_decide_how_dark_the_brain_is():
    """Two percent of very bright voxels move the tissue by a few levels of 800 only."""
    plain = continuum()
    vessels = plain.copy()
    bright = np.random.default_rng(9).random(INSIDE.shape) < 0.02
    vessels[bright] *= 8
    first, second = (
        encode_display(array, INSIDE, quantum=0.0, seed=1).astype(float)
        for array in (plain, vessels)
    )
    tissue = INSIDE & ~bright
    assert np.abs(second - first)[tissue].mean() < 25
    assert second[INSIDE & bright].min() > 2 * np.median(second[tissue])


def test_same_seed_same_bytes():
    first, again, other = (
        encode_display(continuum(), INSIDE, quantum=20.0, seed=seed) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_affine_change_of_units_changes_nothing():
    array = np.rint(continuum())
    np.testing.assert_array_equal(
        encode_display(array, INSIDE, quantum=40.0, seed=2),
        encode_display(array * 4 - 8, INSIDE, quantum=40.0, seed=2),
    )


@pytest.mark.parametrize("step", [1.0, 2.0, 3.3])
def test_source_quantum_of_a_comb(step):
    array = np.rint(continuum() / step) * step
    low, high = np.percentile(array[INSIDE], [10, 90])
    expected = step * 800 / (high - low)
    assert source_quantum(array, INSIDE) == pytest.approx(expected, rel=1e-6)


def test_source_quantum_of_a_continuum_is_nothing():
    assert source_quantum(continuum().astype(np.float32), INSIDE) < 1.0
    assert source_quantum(continuum(), INSIDE) == 0.0


def test_source_quantum_of_slices_scaled_one_by_one():
    slopes = np.linspace(0.9, 1.1, 10)[:, None, None]
    array = np.rint(continuum()) * slopes
    assert source_quantum(array, INSIDE) > 5


@pytest.mark.parametrize("step", [1.0, 1.7, 2.0])
@pytest.mark.parametrize("study", [50.0, 120.0])
def test_no_comb_is_left(step, study):
    """Whatever the ratio of the image's own step to that of the study."""
    array = np.rint(continuum() / step) * step
    period = source_quantum(array, INSIDE)
    bare = (array - array[INSIDE].min()) * period / step
    assert comb(bare[INSIDE], period) > 0.99
    encoded = encode_display(array, INSIDE, quantum=study, seed=3)
    kept = encoded[(encoded > 1) & (encoded < 4095)]
    assert comb(kept, period) < 0.03
    assert comb(kept, study) < 0.03


def test_noise_floor_is_the_same_for_fine_and_coarse_sources():
    """Rounding at the source plus dither has variance quantum^2 / 6 (+ 1/12 from int16)."""
    array = continuum()
    low, high = np.percentile(array[INSIDE], [10, 90])
    per_unit = 800 / (high - low)
    study = 2.0 * per_unit
    for step in (0.0, 1.0, 2.0):
        source = np.rint(array / step) * step if step else array
        encoded = encode_display(source, INSIDE, quantum=study, seed=4)
        own_low, own_high = np.percentile(source[INSIDE], [10, 90])
        back = (encoded - 400.0) / 800 * (own_high - own_low) + own_low
        within = INSIDE & (encoded > 100) & (encoded < 3900)
        variance = ((back - array) * per_unit)[within].var()
        assert variance == pytest.approx(study**2 / 6 + 1 / 12, rel=0.06)


def test_encoding_needs_a_foreground():
    with pytest.raises(ValueError, match="mask is empty"):
        encode_display(continuum(), np.zeros(INSIDE.shape, bool), quantum=0, seed=0)


def test_rule_is_versioned():
    assert (DISPLAY_RULE.version, DISPLAY_RULE.minimum, DISPLAY_RULE.maximum) == (2, 1, 4095)


def test_chunks_as_in_the_contract():
    assert plan_chunks(80) == [(39, 40), (40, 56), (23, 39), (56, 72), (7, 23), (72, 80), (0, 7)]
    assert plan_chunks(155)[0] == (77, 78)
    assert plan_chunks(1) == [(0, 1)]
    assert plan_chunks(4) == [(1, 2), (2, 4), (0, 1)]
    assert plan_chunks(5, first=4) == [(0, 4), (4, 5)]


@given(nz=st.integers(1, 600), first=st.integers(1, 12), size=st.integers(1, 40))
def test_chunks_cover_each_slice_once(nz, first, size):
    chunks = plan_chunks(nz, first, size)
    covered = sorted(z for z0, z1 in chunks for z in range(z0, z1))
    assert covered == list(range(nz))
    assert all(0 < z1 - z0 <= size for z0, z1 in chunks[1:])
    low, high = chunks[0]
    for z0, z1 in chunks[1:]:
        assert z1 == low or z0 == high
        low, high = min(low, z0), max(high, z1)


@given(nz=st.integers(-3, 3), size=st.integers(-2, 2))
def test_chunks_need_positive_numbers(nz, size):
    if min(nz, size) < 1:
        with pytest.raises(ValueError, match="at least 1"):
            plan_chunks(nz, size=size)


def test_chunk_bytes_are_little_endian_slabs():
    encoded = np.arange(24, dtype=np.int16).reshape(4, 2, 3)
    assert chunk_bytes(encoded, (1, 3)) == np.arange(6, 18, dtype="<i2").tobytes()


def unpack(blob, encoding):
    if encoding == "gzip":
        return gzip.decompress(blob)
    stream = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(blob), read_across_frames=True)
    return stream.read()


def first_member(blob, encoding):
    """What a decoder gives that stops after the first member or frame."""
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31).decompress(blob)
    return zstandard.ZstdDecompressor().decompress(blob, allow_extra_data=True)


@given(
    data=st.binary(max_size=3000),
    room=st.integers(22, 3000) | st.sampled_from([65_557, 65_558, 65_578, 65_579, 200_000]),
    encoding=st.sampled_from(["zstd", "gzip"]),
)
def test_padding_decodes_to_the_same_bytes(data, room, encoding):
    blob = compress(data, encoding)
    padded = pad(blob, encoding, len(blob) + room)
    assert len(padded) == len(blob) + room
    assert unpack(padded, encoding) == data
    assert first_member(padded, encoding) == data
    assert pad(blob, encoding, len(blob)) == blob


@pytest.mark.parametrize(("encoding", "tool"), [("zstd", "zstd"), ("gzip", "gzip")])
def test_padding_is_understood_by_the_command_line_tool(encoding, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"the program {tool} is not installed")
    data = continuum().tobytes()
    blob = compress(data, encoding)
    padded = pad(blob, encoding, bucket_length([len(blob)]) + 70_000)
    done = subprocess.run([tool, "-dc"], input=padded, capture_output=True, check=True)
    assert done.stdout == data


@pytest.mark.parametrize(("encoding", "smallest"), [("zstd", 8), ("gzip", 22)])
def test_padding_refuses_too_short_a_length(encoding, smallest):
    blob = compress(b"abc", encoding)
    for length in (len(blob) - 1, len(blob) + 1, len(blob) + smallest - 1):
        with pytest.raises(ValueError, match="Choose the length with bucket_length"):
            pad(blob, encoding, length)
    assert len(pad(blob, encoding, len(blob) + smallest)) == len(blob) + smallest


@given(lengths=st.lists(st.integers(1, 5_000_000), min_size=1, max_size=20))
def test_bucket_has_room_for_every_blob(lengths):
    bucket = bucket_length(lengths)
    assert bucket % 1024 == 0
    assert all(bucket - length >= 22 for length in lengths)
    assert bucket - max(lengths) < 1024 + 22


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_blobs_of_different_content_get_one_length(encoding):
    random = np.random.default_rng(9)
    contents = [bytes(40_000), random.bytes(40_000), np.arange(20_000, dtype="<i2").tobytes()]
    blobs = [compress(content, encoding) for content in contents]
    bucket = bucket_length(map(len, blobs))
    padded = [pad(blob, encoding, bucket) for blob in blobs]
    assert {len(blob) for blob in padded} == {bucket}
    assert [unpack(blob, encoding) for blob in padded] == contents


def test_gzip_carries_neither_name_nor_time():
    blob = compress(b"abc", "gzip")
    assert blob[3] == 0
    assert blob[4:8] == bytes(4)


def test_zstd_window_is_within_what_browsers_accept():
    data = np.random.default_rng(1).integers(0, 50, 9_000_000, dtype=np.int16).tobytes()
    parameters = zstandard.get_frame_parameters(compress(data, "zstd", 3))
    assert parameters.window_size <= 8 * 2**20
    assert parameters.has_checksum


def test_a_linear_map_puts_each_value_on_its_level_and_counts_what_is_clipped():
    values = np.array([[[-0.5, 0.0, 1.0, 2.0, 4.0, 5.0, 9.0]]])
    inside = values < 9
    levels, clipped = encode_linear(values, inside, rule=LinearRule(0, 4), quantum=None, seed=1)
    assert levels.tolist() == [[[0, 0, 1024, 2048, 4095, 4095, 0]]]  # 4095 / 4 = 1023.75
    assert clipped == 2


def test_levels_of_a_linear_map_give_the_values_back_within_half_a_level():
    rule = LinearRule(-1.5, 6.5)
    values = np.random.default_rng(3).uniform(-1.5, 6.5, (4, 20, 20))
    inside = np.ones(values.shape, bool)
    levels, _ = encode_linear(values, inside, rule=rule, quantum=0.0, seed=1)
    again = rule.slope * levels + rule.low
    assert np.abs(again - values).max() <= rule.slope / 2 * (1 + 1e-9)


def test_dither_hides_the_comb_of_a_coarse_map_and_keeps_its_mean():
    rule, inside = LinearRule(0, 100), np.ones((10, 80, 80), bool)
    coarse = np.random.default_rng(4).integers(20, 80, inside.shape).astype(float)
    quantum = 1 / rule.slope
    levels, _ = encode_linear(coarse, inside, rule=rule, quantum=quantum, seed=2)
    assert np.unique(levels).size > 2000
    assert (rule.slope * levels + rule.low).mean() == pytest.approx(coarse.mean(), abs=0.02)
