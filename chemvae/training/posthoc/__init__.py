"""What is fitted once the weights stand: the learned prior, the predictor."""
