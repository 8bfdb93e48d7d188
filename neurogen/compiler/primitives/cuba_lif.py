"""CubaLIF: ``tau_syn dI/dt = -I + w_in S``, ``tau_mem dv/dt = (v_leak - v) + r I``; spikes where v passes threshold."""

import numpy as np

NAME = "CubaLIF"
KIND = "neuron"
KEYS = ("tau_mem", "tau_syn", "r", "v_threshold")
MODEL = "cuba_lif"
SHAPED = ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")


def discretise(record, convention):
    """``I = keep_u*I + gain_u*S``, ``v = keep*v + gain_v*I + (1 - keep)*v_leak``; u is I times gain_v.

    Euler and exponential: gain_u = (1 - keep_u)*w_in, gain_v = (1 - keep)*r. Norse adds spikes to the current as they
    are (gain_u = w_in); Rockpool lets them decay once (gain_u = keep_u*w_in) and adds the current to v as it is
    (gain_v = 1).
    """
    keep_u = convention.keep(np.asarray(record["tau_syn"], dtype=float))
    keep = convention.keep(np.asarray(record["tau_mem"], dtype=float))
    w_in = record.get("w_in", 1.0)
    gain_u, gain_v = (1 - keep_u) * w_in, (1 - keep) * record["r"]
    if convention.framework == "norse":
        gain_u = np.asarray(w_in)
    if convention.framework == "rockpool":
        gain_u, gain_v = keep_u * w_in, np.ones_like(keep)
    parameters = {
        "keep_u": keep_u,
        "keep": keep,
        "bias": (1 - keep) * record.get("v_leak", 0.0),
        "threshold": record["v_threshold"],
        "reset_value": record.get("v_reset", 0.0),
    }
    return gain_u * gain_v, parameters
