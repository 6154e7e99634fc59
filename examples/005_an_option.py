"""An option to buy racks: what waiting and testing are worth. The numbers are made up."""

from rackwright import buy
from rackwright.records.decision import OptionCase

case = OptionCase(
    study_sha256="example",
    design="a rack that does not exist",
    workload="chat",
    lot_blocks=100,
    strike_usd_per_block=4.0e6,
    delivery_weeks=20,
    rate_tokens_per_s=400_000,
    performance_log_mean=-0.02,
    performance_log_sd=0.12,
    average_power_w=110e3,
    reserved_power_w=140e3,
    pue=1.2,
    energy_usd_per_kwh=0.06,
    infrastructure_usd_per_w_year=1.5,
    operation_usd_per_block_year=60e3,
    availability=0.96,
    utilisation=0.7,
    life_weeks=260,
    salvage=0.05,
    gate_weeks=(0, 8, 16, 26),
    lapse_per_week=0.005,
    discount_rate_per_year=0.12,
    price_usd_per_million_tokens=0.18,
    long_run_usd_per_million_tokens=0.18,
    mean_reversion_per_year=0.6,
    volatility_per_year=0.4,
    decay_per_year=0.15,
    jumps_per_year=0.5,
    jump_log_mean=0.15,
    jump_log_sd=0.15,
    campaign_racks=4,
    campaign_usd=50e3,
    reading_log_sd=0.022,
    model_log_sd=0.03,
)

decision = buy.decide(case, seed=1)
print(f"today: {decision.action}")
print(f"buying today is worth {decision.exercise_now_usd / 1e6:.0f} MUSD")
print(f"the option is worth {decision.option_usd / 1e6:.0f} MUSD")
print(f"  of which early access {decision.early_access_usd / 1e6:.0f} MUSD, before its cost")
print(f"perfect information would be worth {decision.perfect_information_usd / 1e6:.0f} MUSD")
for gate in decision.gates:
    price = gate.exercise_above_usd_per_million_tokens
    print(f"week {gate.week:>2.0f}: exercise above {price:.3f} USD per million tokens")
