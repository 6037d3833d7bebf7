"""A stand-in AWS account: moto as the control plane, ebs-standin for the blocks, and what moto lacks in front."""
