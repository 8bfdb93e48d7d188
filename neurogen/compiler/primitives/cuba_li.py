"""CubaLI: ``tau_syn dI/dt = -I + w_in S``, ``tau_mem dv/dt = (v_leak - v) + r I``; puts out v."""

from .records import Record, numbers

NAME = "CubaLI"
KIND = "neuron"
KEYS = ("tau_mem", "tau_syn", "r")
MODEL = "cuba_lif"
SHAPED = ("tau_mem", "tau_syn", "r", "v_leak", "w_in")
OPEN = ("dt", "decay")
SPIKING = False


def discretise(record: Record, convention):
    """``I = keep_u*I + gain_u*S``, ``v = keep*v + gain_v*I + (1 - keep)*v_leak``; u is I times gain_v.

    Euler and exponential: gain_u = (1 - keep_u)*w_in, gain_v = (1 - keep)*r. Norse adds spikes to the current as they
    are (gain_u = w_in); Rockpool lets them decay once (gain_u = keep_u*w_in).
    """
    tau = numbers(record, "tau_mem")
    keep_u, keep = convention.keep(numbers(record, "tau_syn")), convention.keep(tau)
    w_in = numbers(record, "w_in") if "w_in" in record else 1.0
    leak = numbers(record, "v_leak") if "v_leak" in record else 0.0
    gain_v = convention.gain(tau, numbers(record, "r"))
    gain_u = {"norse": 1.0, "rockpool": keep_u}.get(convention.framework, 1 - keep_u) * w_in
    return gain_u * gain_v, {"keep_u": keep_u, "keep": keep, "bias": (1 - keep) * leak}
