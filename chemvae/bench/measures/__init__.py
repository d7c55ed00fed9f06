"""What is measured: products, training, the parts of a step, generation, start-up, and how cost grows."""
