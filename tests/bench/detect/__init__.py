"""How well the finding finds: labelled and simulated streams, baselines, one table per set of channels."""
