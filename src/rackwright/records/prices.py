"""Prices: what BUILD tells DESIGN about scarcity. The whole contract of loop 1.

Axes: P constrained parts, A accelerators, L levels (L10, L11, L12), F factories, K data centers,
W workloads, T buckets in which a block can be built, V = T + 1 periods in which it can work (the
last one is the life after the horizon). All money is discounted to week 0.
"""

from __future__ import annotations

from rackwright.records.base import FloatArray, Record


class Prices(Record):
    """Values of work and costs of everything a block uses, on the bucketed calendar.

    A block of row d built at factory f in bucket t for data center k arrives at the start of
    period a = arrival[f, k, t] (-1: never) and is worth

        sum over v >= a of  max(0, max over w of (rate_usd[w,k,v] · rate[d,w]
                                 - gang_usd[w,k,v] - energy_usd_per_w[k,v] · average_power[d,w]))
            - power_usd_per_w[k,v] · provisioned - liquid_usd_per_w[k,v] · liquid
            - air_usd_per_w[k,v] · air - floor_usd_per_m2[k,v] · floor
        + salvage[k, a] · price_usd

    and costs

        sum over p of part_usd[p,f,t] · quantity[d,p] + money[f,t] · (price_usd - stated parts)
            + sum over l of touch_usd[l,f,t] · touch[d,l] + bay_usd[l,f,t] · bay[d,l]
            + mass_usd_per_kg[f,k,t] · mass
            + money[f,t] · rack_duty[a,f,k,t] · price_usd, a being the row's accelerator.

    "Stated parts" is the sum over p of part_stated[p] · quantity · unit price in the row's bill:
    `part_usd` charges those in full, at the price that a supply states. All other parts are paid
    at the prices of the row's own bill, and `part_usd` is only their scarcity and duty.
    Set-up is not in here: BUILD adds it per platform.
    """

    parts: tuple[str, ...]
    factories: tuple[str, ...]
    data_centers: tuple[str, ...]
    workloads: tuple[str, ...]
    rate_usd: FloatArray  # (W, K, V) USD per token/s kept up over the period
    gang_usd: FloatArray  # (W, K, V) USD per block at work in a gang-scheduled job
    energy_usd_per_w: FloatArray  # (K, V) per average IT watt at work
    power_usd_per_w: FloatArray  # (K, V) per provisioned IT watt
    liquid_usd_per_w: FloatArray  # (K, V)
    air_usd_per_w: FloatArray  # (K, V)
    floor_usd_per_m2: FloatArray  # (K, V)
    salvage: FloatArray  # (K, V) share of price credited, by period of arrival
    part_usd: FloatArray  # (P, F, T) cost of one more unit, duty and scarcity included
    part_stated: FloatArray  # (P,) 1: part_usd holds its price; 0: the row's bill does
    money: FloatArray  # (F, T) cost today of a dollar spent then, budget's scarcity included
    touch_usd: FloatArray  # (L, F, T) per touch hour at list price of the row
    bay_usd: FloatArray  # (L, F, T) per bay hour
    mass_usd_per_kg: FloatArray  # (F, K, T)
    accelerators: tuple[str, ...]
    rack_duty: FloatArray  # (A, F, K, T) share of price_usd charged when a finished rack enters
    # the data center's country
    arrival: FloatArray  # (F, K, T) index of the period of arrival, -1 = beyond the horizon
    bucket_end_week: FloatArray  # (T,) a row can be built in t if first_week < bucket_end_week


class Priced(Record):
    """What each row is worth at the prices: the answer of DESIGN to BUILD."""

    worth_usd: FloatArray  # (D, F, K, T) worth less cost of one block; -1e30 where not buildable
