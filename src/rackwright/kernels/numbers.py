"""The plain numbers that the performance kernels read: a model, a machine, its efficiencies.

Named tuples of floats, so that a kernel reads `m.hidden` and numba compiles it to a register.
The stages fill them from records; nothing here knows a record.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import as_tuple, compiled


class ModelNumbers(NamedTuple):
    """A model as counts; "elements" are cache or state elements, sizes are per layer."""

    hidden: float
    table: float  # vocabulary × hidden: one table
    vocab: float
    heads: float
    attention_layers: float  # full and window
    linear_layers: float  # with a fixed-size state
    dense_layers: float
    moe_layers: float
    layers: float  # that a pipeline divides
    attention_in: float  # parameters of the query, key and value projections
    attention_out: float
    linear_mixer: float  # parameters of a state layer
    core_full: float  # multiply-adds per token and attended token, summed over full layers
    core_window: float  # the same over window layers
    decode_core: float  # of one full layer at decode, where it differs from core_full / layers
    full_layers: float
    window: float  # tokens; 0 without window layers
    cache_full: float  # elements per token, summed over full layers
    cache_window: float  # elements per token inside the window, summed
    cache_parts: float  # ranks that the cache can be split over; beyond, it is copied
    state: float  # elements of fixed-size state per sequence
    mlp_up: float  # parameters of a dense layer's up (and gate) matrices
    mlp_down: float
    ffn: float  # width of a dense layer
    gated: float  # 2.0: gate and up; 1.0: up only
    experts: float
    top_k: float
    expert_up: float  # parameters of one expert
    expert_down: float
    moe_ffn: float
    expert_width: float  # hidden, or the latent width the experts work in
    shared_up: float
    shared_down: float
    shared_ffn: float
    router: float
    tied: float  # 1.0 where input and output tables are one
    mtp_layers: float  # extra prediction layers that training runs
    sparse_layers: float = 0.0  # of the full ones, those that read chosen tokens only
    chosen: float = 0.0  # tokens that they read at most
    index_cache: float = 0.0  # elements per token that the choice reads, summed over its layers
    index_core: float = 0.0  # multiply-adds per token and attended token of the choice, summed


class MachineNumbers(NamedTuple):
    """A machine at one precision. Rates are one way, per accelerator."""

    matmul_flop_per_s: float  # peak at the plan's precision
    bf16_flop_per_s: float  # peak where precision stays 16 bit: attention core, head
    memory_bytes: float
    memory_bytes_per_s: float
    scale_up_bytes_per_s: float
    scale_up_accelerators: float  # in one domain
    scale_out_bytes_per_s: float
    oversubscription: float  # of the fabric above its first tier
    accelerators: float  # in the block
    weight_bytes: float  # per element of the main matrices while serving
    other_weight_bytes: float  # of what is kept wider than the experts
    activation_bytes: float  # per element that a matmul reads
    cache_bytes: float  # per cache element
    host_bytes_per_s: float  # between an accelerator and its host
    host_memory_bytes: float  # an accelerator's share of it; inf where it is not known


class TrainingEfficiency(NamedTuple):
    """The few free numbers of the training model; see docs/methods/training.md.

    The last ones say what the software does: how attention is computed, what is split, what is
    hidden.
    """

    matmul: float  # share of the peak that large products reach, at the plan's precision
    matmul_bf16: float
    grouped: float  # share of that which products grouped by expert reach
    attention: float  # share of the 16-bit peak that the attention core's products reach
    exponentials_per_s: float  # of the attention core's softmax
    memory: float  # share of the memory rate
    scale_up: float  # share of the scale-up rate
    scale_out: float
    scale_up_latency_s: float  # per collective inside a domain
    scale_out_latency_s: float
    layer_host_s: float  # host time to launch one pass of a layer
    moe_layer_host_s: float  # the same, added where there are experts
    expert_host_s: float  # the same, for each expert that a rank holds
    step_host_s: float  # host time once per step
    stack: float  # measured over modelled step time
    experts_stack: float  # the same, of the passes through memory that only experts have
    state_passes: float  # passes of a state layer over those of its projections
    tensor_exposed: float  # share of tensor-parallel traffic that is not hidden
    expert_exposed: float  # may exceed 1: exchanges do not reach the rate of the links
    expert_interleaved: float  # share of that which is left where chunks of a stage interleave
    context_exposed: float
    data_exposed: float
    pipeline_exposed: float
    score_bytes: float  # moved per score and forward pass; 0: scores never leave the chip
    sequence_parallel: float  # 1: norms are split by the tensor group; 0: copied
    gradient_bytes: float  # per gradient that is reduced
    copies_per_rank: float  # 1: a token goes once to each rank of its experts; 0: once per expert


class ServingEfficiency(NamedTuple):
    """The few free numbers of the serving model; see docs/methods/serving.md."""

    matmul: float  # share of the peak that products reach, at the plan's precision
    matmul_bf16: float
    grouped: float  # share of that which products grouped by expert reach
    attention: float  # share of the 16-bit peak that the attention core reaches
    memory: float  # share of the memory rate at which matrices are read
    cache: float  # share of it at which cached keys and values are read
    scale_up: float  # share of the scale-up rate
    scale_out: float
    scale_up_latency_s: float  # of a small all-reduce inside a domain, per doubling of the group
    scale_out_latency_s: float
    exchange_latency_s: float  # per exchange between experts inside a domain
    layer_s: float  # fixed time per layer of a step
    moe_layer_s: float  # the same, added where there are experts
    state_layer_s: float  # the same, added where a layer keeps a state
    step_s: float  # fixed host time per step
    prefill_step_s: float  # added to a step that carries prefill
    request_s: float  # host time per request and step, beside the accelerator's
    tile: float  # rows that an expert's last tile multiplies in vain, on average
    apart: float  # share of further tokens that choose their experts apart from those before
    skew: float  # share of chance's unevenness between expert ranks that shows
    stack: float  # measured over modelled time of the accelerator
    acceptance: float  # chance that a drafted token is kept
    first_s: float  # until a request reaches the engine and its first token the client
    first_layer_s: float  # host time of a first pass, per layer, beside other requests' steps
    first_moe_layer_s: float  # added where there are experts
    first_wave: float  # share of a run's requests that belong to the first crowd
    in_step: float  # share of clients that stay together after it
    joined: float  # prompts that share a step with another's


_MODEL, _MACHINE = len(ModelNumbers._fields), len(MachineNumbers._fields)
_TRAINING, _SERVING = len(TrainingEfficiency._fields), len(ServingEfficiency._fields)


@compiled
def model_row(d: NDArray[np.float64]) -> ModelNumbers:
    """Return a row of an array as a model."""
    return ModelNumbers(*as_tuple(d, _MODEL))


@compiled
def machine_row(d: NDArray[np.float64]) -> MachineNumbers:
    """Return a row of an array as a machine."""
    return MachineNumbers(*as_tuple(d, _MACHINE))


@compiled
def training_efficiency(d: NDArray[np.float64]) -> TrainingEfficiency:
    """Return one draw, a row of an array, as named efficiencies."""
    return TrainingEfficiency(*as_tuple(d, _TRAINING))


@compiled
def serving_efficiency(d: NDArray[np.float64]) -> ServingEfficiency:
    """Return one draw, a row of an array, as named efficiencies."""
    return ServingEfficiency(*as_tuple(d, _SERVING))
