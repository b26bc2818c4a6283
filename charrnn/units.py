"""Conversions between units."""

from math import log

BITS_PER_NAT = 1 / log(2)
