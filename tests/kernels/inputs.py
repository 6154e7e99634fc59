"""Models, machines and efficiencies that the kernel tests share."""

from rackwright.kernels.numbers import (
    MachineNumbers,
    ModelNumbers,
    ServingEfficiency,
    TrainingEfficiency,
)

TRAINING = TrainingEfficiency(
    matmul=0.7,
    matmul_bf16=0.75,
    grouped=0.5,
    attention=0.5,
    exponentials_per_s=4e12,
    memory=0.85,
    scale_up=0.8,
    scale_out=0.85,
    scale_up_latency_s=1e-5,
    scale_out_latency_s=2.5e-5,
    layer_host_s=6e-5,
    moe_layer_host_s=8e-5,
    step_host_s=0.01,
    stack=1.1,
    experts_stack=1.0,
    tensor_exposed=0.3,
    expert_exposed=0.8,
    context_exposed=0.05,
    data_exposed=0.2,
    pipeline_exposed=0.4,
    score_bytes=0.0,
    sequence_parallel=1.0,
    gradient_bytes=2.0,
    copies_per_rank=0.0,
)

SERVING = ServingEfficiency(
    matmul=0.7,
    matmul_bf16=0.75,
    grouped=0.5,
    attention=0.5,
    memory=0.85,
    scale_up=0.8,
    scale_out=0.85,
    scale_up_latency_s=1e-5,
    scale_out_latency_s=2.5e-5,
    layer_s=4e-5,
    moe_layer_s=5e-6,
    step_s=5e-4,
    stack=1.05,
    first_token_stack=2.0,
)

MACHINE = MachineNumbers(
    matmul_flop_per_s=5e15,
    bf16_flop_per_s=2.5e15,
    memory_bytes=186e9,
    memory_bytes_per_s=8e12,
    scale_up_bytes_per_s=9e11,
    scale_up_accelerators=72.0,
    scale_out_bytes_per_s=5e10,
    oversubscription=1.0,
    accelerators=288.0,
    weight_bytes=1.0,
    other_weight_bytes=1.0,
    activation_bytes=1.0,
    cache_bytes=1.0,
)


def dense(layers=80.0, hidden=8192.0, ffn=28672.0, kv_heads=8.0, vocab=128256.0) -> ModelNumbers:
    """A gated dense model with grouped-query attention and heads of 128."""
    heads = hidden / 128.0
    return ModelNumbers(
        hidden=hidden,
        table=vocab * hidden,
        vocab=vocab,
        heads=heads,
        attention_layers=layers,
        linear_layers=0.0,
        dense_layers=layers,
        moe_layers=0.0,
        layers=layers,
        attention_in=hidden * (hidden + 2 * kv_heads * 128.0),
        attention_out=hidden * hidden,
        linear_mixer=0.0,
        core_full=layers * heads * 256.0,
        core_window=0.0,
        decode_core=heads * 256.0,
        full_layers=layers,
        window=0.0,
        cache_full=layers * kv_heads * 256.0,
        cache_window=0.0,
        cache_parts=kv_heads,
        state=0.0,
        mlp_up=2 * hidden * ffn,
        mlp_down=hidden * ffn,
        ffn=ffn,
        gated=2.0,
        experts=0.0,
        top_k=0.0,
        expert_up=0.0,
        expert_down=0.0,
        moe_ffn=0.0,
        expert_width=hidden,
        shared_up=0.0,
        shared_down=0.0,
        shared_ffn=0.0,
        router=0.0,
        tied=0.0,
        mtp_layers=0.0,
    )


def sparse(layers=36.0, hidden=2880.0, experts=128.0, top_k=4.0, moe_ffn=2880.0) -> ModelNumbers:
    """A model whose every layer has experts, half of the layers with a window of 128."""
    return dense(layers, hidden, 0.0, 8.0, 201088.0)._replace(
        dense_layers=0.0,
        mlp_up=0.0,
        mlp_down=0.0,
        moe_layers=layers,
        full_layers=layers / 2,
        core_full=layers / 2 * 64 * 128.0,
        core_window=layers / 2 * 64 * 128.0,
        window=128.0,
        experts=experts,
        top_k=top_k,
        moe_ffn=moe_ffn,
        expert_up=2 * hidden * moe_ffn,
        expert_down=hidden * moe_ffn,
        router=hidden * experts,
    )
