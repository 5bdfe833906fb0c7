"""scan.json states how much of the tumor lies outside the crop."""

from studies import scan_of, tiny_subject, write_subject


def test_the_tumor_lost_to_cropping_is_counted(tmp_path):
    scan, arrays = scan_of(write_subject(tmp_path, 3), crop=[[0, 20], [0, 44], [0, 99]])
    _, mask = tiny_subject(3)
    assert scan["tumor_voxels_lost"] == (mask[20:] > 0).sum() > 0
    assert arrays["mask"].shape == (20, 44, 36)
