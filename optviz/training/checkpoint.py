"""A trained network as a NumPy archive (.npz): its spec as JSON, and an array for each parameter.

W1, b1, gamma1 … are the parameters of the layers that have some, in their order, as
`Network.views` shapes them; `running_statistics` are those of batch normalization.
"""

import io
import json
import zipfile
import zlib

import numpy as np

from optviz.nn import DTYPES, Network
from optviz.spec import SpecError, canonical_json, from_dict, to_dict, validate

MAX_BYTES = 80_000_000  # of the arrays when they are unpacked


def save(network: Network, params: np.ndarray, running_statistics: np.ndarray) -> bytes:
    """The file of one network with parameters `(P,)` and running statistics `(R,)`."""
    file = io.BytesIO()
    np.savez(
        file,
        network=np.array(canonical_json(to_dict(network))),
        running_statistics=running_statistics,
        **_named_arrays(network, params),
    )
    return file.getvalue()


def restore(content: bytes) -> tuple[Network, np.ndarray, np.ndarray]:
    """The network of a file, its parameters and running statistics.

    ValueError says what is wrong with a file that `save` has not written: nothing in it is run,
    and nothing is unpacked that would not fit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_BYTES:
                raise SpecError(
                    f"its arrays have {size:,} bytes; at most {MAX_BYTES:,} are allowed"
                )
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        network = from_dict(Network, json.loads(str(arrays.pop("network"))))
        validate(network)
    except SpecError:
        raise
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError, ValueError) as error:
        raise ValueError("this is not a network that was saved here") from error
    if network.size * np.dtype(DTYPES[network.dtype]).itemsize > MAX_BYTES:
        raise ValueError(f"a network of {network.size:,} parameters is too large")
    params = np.empty(network.size, DTYPES[network.dtype])
    statistics = {"running_statistics": np.empty(network.running_size, params.dtype)}
    for name, target in {**_named_arrays(network, params), **statistics}.items():
        if name not in arrays:
            raise ValueError(f"the array {name} is missing")
        if arrays[name].shape != target.shape or arrays[name].dtype.kind != "f":
            raise ValueError(f"{name} must be numbers of shape {target.shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} is not finite")
        target[...] = arrays[name]
    return network, params, statistics["running_statistics"]


def _named_arrays(network, params):
    """Views of the parameters by name and number of the layer, among those that have some."""
    layers = [views for views in network.views(params) if views]
    return {f"{name}{k}": view for k, views in enumerate(layers, 1) for name, view in views.items()}
