"""A network that is not a U is drawn as well."""

from matplotlib.patches import Rectangle
from pictures import conv, keras_file, pixels, small_unet

from glioseg.plot.network import network
from glioseg.plot.network_stages import stages
from glioseg.plot.style import save
from glioseg.predict.keras_file import read_layers


def test_a_network_that_is_not_a_u_is_drawn(tmp_path):
    shape = [None, 8, 8, 8, 4]
    layers = [("InputLayer", "in", {"batch_shape": shape}, [], shape)]
    for place, (kind, settings) in enumerate(
        [
            ("Conv3D", conv(4, strides=[2, 2, 2])),
            ("UpSampling3D", {"size": [2, 2, 2]}),
            ("Conv3D", conv(6, strides=[2, 2, 2])),
            *[("Conv3D", conv(6))] * 7,
            ("GlobalAveragePooling3D", {}),
            ("Dense", {"units": 2, "activation": "softmax"}),
        ]
    ):
        layers.append((kind, f"layer{place}", settings, [layers[-1][1]], shape))
    plan = stages(*read_layers(keras_file(tmp_path / "m.keras", layers, [layers[-1][1], 0, 0])))
    save(network(plan), tmp_path / "network.png")
    assert pixels(tmp_path / "network.png").std() > 5


def test_the_count_of_slabs_that_are_not_drawn_touches_no_slab(tmp_path, monkeypatch):
    # A narrow figure, as of a network with many stages.
    monkeypatch.setattr("glioseg.plot.network.WIDEST_INCH", 4.2)
    shape = [None, 8, 8, 8, 4]
    layers = [("InputLayer", "in", {"batch_shape": shape}, [], shape)]
    for place in range(20):
        layers.append(("Conv3D", f"layer{place}", conv(16), [layers[-1][1]], shape))
    figure = network(stages(*read_layers(keras_file(tmp_path / "m.keras", layers, [layers[-1][1], 0, 0]))))
    figure.draw_without_rendering()
    axis = figure.axes[0]
    (count,) = (text.get_window_extent() for text in axis.texts if "more" in text.get_text())
    slabs = [patch.get_window_extent() for patch in axis.patches if isinstance(patch, Rectangle)]
    assert len(slabs) == 4
    assert not any(count.overlaps(slab) for slab in slabs)


def test_the_legend_fits_a_small_network(tmp_path):
    model = keras_file(tmp_path / "m.keras", small_unet(32), [["o2", 0, 0], ["deep", 0, 0]])
    figure = network(stages(*read_layers(model)))
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
