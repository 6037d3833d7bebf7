//! Kinds of images that are refused, and what images say of the blocks that hold data.
