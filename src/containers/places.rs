//! Where stores are: known places, and where configurations, units and homes have them.
