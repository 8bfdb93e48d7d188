"""The quantised network as NeuroBench sees one: needs torch, so it stands apart from ``neurobench``."""

import torch
from neurobench.models import NeuroBenchModel

from golden import network as golden_network

from .neurobench import buffers, spiking_populations, weights
from .spec.errors import InputError
from .spec.kernels import Kernel
from .spec.network import Network, Projection


class Connection(torch.nn.Linear):
    """A projection's integers; what it is called with is what its synapses see."""

    def __init__(self, projection: Projection):
        super().__init__(*projection.shape, bias=False, device="meta")
        self.weight = torch.nn.Parameter(torch.from_numpy(weights(projection).T.copy()), requires_grad=False)

    def forward(self, events: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(events, self.weight.to(events.dtype))


class Convolution(torch.nn.Conv2d):
    """A projection that is a kernel. Padding behind is cut or added so that the target's shape comes out."""

    def __init__(self, kernel: Kernel, projection: Projection):
        super().__init__(
            kernel.source[0],
            kernel.target[0],
            kernel.weights.shape[2:],
            stride=kernel.stride,
            dilation=kernel.dilation,
            groups=kernel.groups,
            bias=False,
            device="meta",
        )
        self.kernel_map = kernel
        self.weight = torch.nn.Parameter(torch.from_numpy(weights(projection)), requires_grad=False)

    def forward(self, events: torch.Tensor) -> torch.Tensor:
        kernel = self.kernel_map
        around = []
        for axis in (1, 0):  # torch pads the last axis first
            extent = (kernel.target[1 + axis] - 1) * kernel.stride[axis]
            extent += (kernel.weights.shape[2 + axis] - 1) * kernel.dilation[axis] + 1
            around += [kernel.padding[axis], extent - kernel.padding[axis] - kernel.source[1 + axis]]
        padded = torch.nn.functional.pad(events.reshape(-1, *kernel.source), around)
        return self._conv_forward(padded, self.weight.to(events.dtype), None)


class Spikes(torch.nn.Module):
    """A population's spikes pass through here, to be counted."""

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        return spikes


class GoldenModel(NeuroBenchModel):
    """``neurogen.neurobench.model`` says what this is."""

    def __init__(self, network: Network):
        super().__init__()
        if len(network.inputs) != 1:
            raise InputError(f"NeuroBench runs networks of one input, {network.name!r} has {len(network.inputs)}")
        self.network = network
        self.net = torch.nn.Module()
        for index, projection in enumerate(network.projections):
            kernel = projection.weights
            layer = Convolution(kernel, projection) if isinstance(kernel, Kernel) else Connection(projection)
            self.net.add_module(f"projection{index}", layer)
        for population in spiking_populations(network):
            self.net.add_module(f"spikes_{population.name}", Spikes())
        for name, values in buffers(network).items():
            self.net.register_buffer(name.replace(".", "_"), torch.from_numpy(values))
        self.add_activation_module(Spikes)

    def __net__(self) -> torch.nn.Module:
        return self.net

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        inputs = {self.network.inputs[0].name: batch.to(torch.int64).numpy()}
        found = golden_network.run(self.network, inputs, record=self.network.order)
        traces = {name: torch.from_numpy(trace).double() for name, trace in (inputs | found.spikes).items()}
        for index, projection in enumerate(self.network.projections):
            seen = torch.zeros_like(traces[projection.source])
            seen[:, projection.delay :] = traces[projection.source][:, : batch.shape[1] - projection.delay]
            self.net.get_submodule(f"projection{index}")(seen.flatten(0, 1))
        for population in spiking_populations(self.network):
            self.net.get_submodule(f"spikes_{population.name}")(traces[population.name])
        output = self.network.outputs[0]
        answers = found.values if output.values else found.spikes
        return torch.from_numpy(answers[output.population]).double()
