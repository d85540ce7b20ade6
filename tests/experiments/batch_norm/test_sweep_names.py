"""What the networks of a sweep are called in the file of their curves."""

from optviz.experiments.batch_norm.page import networks
from optviz.experiments.batch_norm.spec import BatchNormComparison, Scales
from optviz.plot import LIGHT


def test_no_two_networks_of_a_sweep_have_one_name():
    """However near to each other their values are; they can be read back."""
    spec = BatchNormComparison(view="scales", scales=Scales(25, 1.0, 1.001))
    names = [network.name for network in networks(spec, [None, None], LIGHT)]
    assert len(set(names)) == 50
    assert [float(name.split(" = ")[1]) for name in names] == spec.varied * 2
