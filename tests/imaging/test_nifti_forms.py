"""NIfTI and MGH in every form, 20 random voxels each against nibabel."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.orientation import to_lps
from readerstudy.imaging.volumes import find_series, load

from .factories import brain_like
from .reference import agrees, nifti_voxels

VALUES = brain_like((9, 14, 11)).T
AXES = {
    "RAS": np.diag([0.8, 0.9, 3.0]),
    "LPS": np.diag([-0.8, -0.9, 3.0]),
    "SLA": np.array([[0, -0.9, 0], [0, 0, 3.0], [0.8, 0, 0]]),
    "oblique": nib.eulerangles.euler2mat(0.3, -0.2, 0.15) @ np.diag([0.8, 0.9, 3.0]),
    "steep": nib.eulerangles.euler2mat(0.9, 0.6, -0.8) @ np.diag([0.7, 0.7, 5.0]),
    "micrometres apart": np.diag([0.05, 0.05, 0.2]),
}


def affine_of(axes):
    return nib.affines.from_matvec(axes, [-12.5, 7.25, 31.0])


def exact(path, values=None):
    (found,) = [one for one in find_series(path.parent) if one.status != "skipped"]
    assert found.status == "ok", found.reason
    volume = load(found)
    voxels = list(nifti_voxels(path))
    agrees(volume, iter(voxels), within_mm=2e-5)
    agrees(to_lps(volume), iter(voxels), within_mm=2e-5)
    if values is not None:
        np.testing.assert_array_equal(volume.array.T, values)
    return volume


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
@pytest.mark.parametrize("form", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_orientations(tmp_path, axes, form, name):
    form(VALUES, affine_of(axes)).to_filename(tmp_path / name)
    exact(tmp_path / name, VALUES)


DTYPES = [f"{kind}int{bits}" for kind in ("u", "") for bits in (8, 16, 32, 64)]
DTYPES += ["float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair])
def test_types_and_byte_orders(tmp_path, dtype, order, form):
    kind = np.dtype(dtype)
    info = np.iinfo(kind) if kind.kind in "iu" else None
    random = np.random.default_rng(2)
    values = (
        random.integers(info.min, info.max, VALUES.shape, dtype=kind, endpoint=True)
        if info
        else random.normal(0, 1e5, VALUES.shape).astype(kind)
    )
    header = form.header_class(endianness=order)
    header.set_data_dtype(kind)
    image = form(values, affine_of(AXES["oblique"]), header, dtype=kind)
    path = tmp_path / ("a.hdr" if form is nib.Nifti1Pair else "a.nii")
    image.to_filename(path)
    assert exact(path, values).array.dtype == kind


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [(0.0123, -4.5), (2.0, 0.0), (-1.5, 100.0), (1.0, -1024.0), (1.0, 0.0), (0.0, 5.0)],
)
@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32"])
def test_scaled(tmp_path, slope, intercept, dtype):
    image = nib.Nifti1Image((VALUES % 251).astype(dtype), affine_of(AXES["LPS"]))
    image.to_filename(tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[112:120] = np.array([slope, intercept], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(raw)
    exact(tmp_path / "a.nii")


def test_slope_that_is_no_number_means_no_scaling(tmp_path):
    nib.Nifti1Image(VALUES, affine_of(AXES["RAS"])).to_filename(tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[112:120] = np.array([np.nan, np.nan], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(raw)
    exact(tmp_path / "a.nii", VALUES)


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (2, 1), (4, 4), (0, 0)])
def test_sform_and_qform_by_the_rule_of_nibabel(tmp_path, codes):
    image = nib.Nifti1Image(VALUES, affine_of(AXES["oblique"]))
    image.set_sform(affine_of(AXES["oblique"]), code=codes[0])
    image.set_qform(affine_of(AXES["SLA"]), code=codes[1])
    image.header["pixdim"][1:4] = [0.8, 0.9, 3.0]
    image.to_filename(tmp_path / "a.nii")
    volume = exact(tmp_path / "a.nii", VALUES)
    assert volume.flags == (("position_unknown",) if codes == (0, 0) else ())


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("ending", [("hdr", "img"), ("HDR", "IMG")])
def test_pairs_are_one_series(tmp_path, packed, ending):
    image = nib.Nifti1Pair(VALUES, affine_of(AXES["steep"]))
    image.to_filename(tmp_path / f"t1.hdr{packed}")
    for suffix, wanted in zip(("hdr", "img"), ending, strict=True):
        (tmp_path / f"t1.{suffix}{packed}").rename(tmp_path / f"t1.{wanted}{packed}")
    found = find_series(tmp_path)
    assert sorted(one.status for one in found) == ["ok", "skipped"]
    one = next(one for one in found if one.status == "ok")
    np.testing.assert_array_equal(load(one).array.T, VALUES)
    assert "read with the .hdr file" in next(o.reason for o in found if o.status == "skipped")


def test_gzip_of_several_members(tmp_path):
    nib.Nifti1Image(VALUES, affine_of(AXES["RAS"])).to_filename(tmp_path / "b.nii")
    raw = (tmp_path / "b.nii").read_bytes()
    (tmp_path / "b.nii").unlink()
    parts = [raw[:100], raw[100:1500], raw[1500:]]
    (tmp_path / "a.nii.gz").write_bytes(b"".join(gzip.compress(part) for part in parts))
    exact(tmp_path / "a.nii.gz", VALUES)


@pytest.mark.parametrize("name", ["a.dcm", "a.img.bak", "scan", "t1.nii.gz.part"])
def test_the_content_tells_nifti_whatever_the_name(tmp_path, name):
    nib.Nifti1Image(VALUES, affine_of(AXES["RAS"])).to_filename(tmp_path / "a.nii")
    (tmp_path / "a.nii").rename(tmp_path / name)
    (found,) = find_series(tmp_path)
    np.testing.assert_array_equal(load(found).array.T, VALUES)


@pytest.mark.parametrize("shape", [(11, 14), (11, 14, 1), (11, 14, 9, 1), (11, 14, 9, 1, 1)])
def test_fewer_and_more_dimensions(tmp_path, shape):
    values = (
        VALUES.reshape(shape) if np.prod(shape) == VALUES.size else VALUES[:, :, 4].reshape(shape)
    )
    nib.Nifti1Image(values, affine_of(AXES["oblique"])).to_filename(tmp_path / "a.nii")
    exact(tmp_path / "a.nii")


def test_single_slice_without_thickness(tmp_path):
    image = nib.Nifti1Image(VALUES[:, :, 4], affine_of(AXES["RAS"]))
    image.set_sform(None, code=0)
    image.set_qform(affine_of(AXES["RAS"]), code=1)
    image.to_filename(tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[88:92] = bytes(4)
    (tmp_path / "a.nii").write_bytes(raw)
    assert load(find_series(tmp_path)[0]).spacing_mm == pytest.approx((1.0, 0.9, 0.8))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours"),
        (np.zeros((3, 4, 5), [(c, "u1") for c in "RGBA"]), "colours"),
        (VALUES.astype("complex64"), "complex"),
        (np.stack([VALUES] * 3, axis=-1), "3 volumes"),
        (np.stack([VALUES] * 3, axis=-1)[:, :, :, None, :], "3 volumes"),
    ],
    ids=["rgb", "rgba", "complex", "4-D", "vectors"],
)
def test_refused_with_advice(tmp_path, values, words):
    nib.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "a.nii.gz")
    (found,) = find_series(tmp_path)
    assert found.status == "error"
    assert words in found.reason
    assert found.advice.endswith(".")


def test_long_double_is_refused(tmp_path):
    path = tmp_path / "a.nii"
    nib.Nifti1Image(VALUES, np.eye(4)).to_filename(path)
    raw = bytearray(path.read_bytes())
    raw[70:74] = np.array([1536, 128], "<i2").tobytes()
    path.write_bytes(raw)
    (found,) = find_series(tmp_path)
    assert (found.status, "are not read" in found.reason) == ("error", True), found.reason


@pytest.mark.parametrize("name", ["brain.mgz", "brain.mgh"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
@pytest.mark.parametrize("axes", ["SLA", "oblique"])
def test_mgh(tmp_path, name, dtype, axes):
    values = (VALUES % 251).astype(dtype)
    nib.MGHImage(values, affine_of(AXES[axes])).to_filename(tmp_path / name)
    volume = exact(tmp_path / name, values)
    assert volume.kind == "mgh"


def test_mgh_with_several_frames_and_damaged(tmp_path):
    path = tmp_path / "a.mgz"
    nib.MGHImage(np.stack([VALUES] * 2, -1).astype("float32"), np.eye(4)).to_filename(path)
    with pytest.raises(ImageError, match="2 volumes"):
        load(find_series(tmp_path)[0])
    nib.MGHImage(VALUES.astype("float32"), np.eye(4)).to_filename(tmp_path / "b.mgh")
    whole = (tmp_path / "b.mgh").read_bytes()
    path.write_bytes(whole[:-3000])
    with pytest.raises(ImageError, match="shorter than its header"):
        load(find_series(path)[0])
    path.write_bytes(whole[:200])
    with pytest.raises(ImageError, match="shorter"):
        load(find_series(path)[0])
